-- Whether a registration is the speaker's own (isSpeakersOwn of server/ports/registration-store.ts). speaker: `*`: nobody
-- has to be asked; `-`: it came without a secure session; `=` and the endpoint of the session.
local function isSpeakersOwn(endpoint, lines, speaker)
  if speaker == '*' then return true end
  if speaker == '-' then return lines[13] == '' end
  return string.sub(speaker, 2) == endpoint
end
