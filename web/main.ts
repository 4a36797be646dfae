import './elements/sy-console-app.ts';
