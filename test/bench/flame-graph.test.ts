import { describe, expect, test } from 'vitest';
import { stacksOf } from '../../bench/cpu-profile.ts';
import { flameGraph, shares } from '../../bench/flame-graph.ts';
import { newestCode, perfStacks } from '../../bench/perf-stacks.ts';

const root = '/home/someone/simyard';
const node = `${root}/node_modules/node/bin/node`;

/** As `perf script -F comm,tid,ip,sym,dso` prints it: innermost first. */
const script = `MainThread  7857
	ffffffff81a0 __udp_sendmsg ([kernel.kallsyms])
	ffffffff81a1 __x64_sys_sendmmsg ([kernel.kallsyms])
	ffffffff81a2 do_syscall_64 ([kernel.kallsyms])
	ffffffff81a3 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])
	   d8ae1 sendmmsg (/usr/lib/x86_64-linux-gnu/libc.so.6)
	  717900 node::UDPWrap::Send (${node})
	  16360f Builtins_CallApiCallback (${node})
	    7f8f JS:*'#flush file://${root}/protocol/coap/udp-port.ts:116:16 (/tmp/perf-7857.map)
	    7f8e JS:+onMessage node:dgram:1099:19 (/tmp/perf-7857.map)
	 163221c Builtins_JSEntryTrampoline (${node})
	  401b97 node::InternalMakeCallback (${node})
	  7179a2 node::UDPWrap::OnRecv (${node})
	 160cbb7 uv_run (${node})
	   2724a __libc_start_call_main (/usr/lib/x86_64-linux-gnu/libc.so.6)

MainThread  7857
	   1234 balance_nonroot (${node})
	   1235 sqlite3BtreeInsert (${node})
	   1236 sqlite3VdbeExec (${node})
	   1237 sqlite3_step (${node})
	  73976b node::sqlite::StatementSync::Run (${node})
	    7f8f JS:~append file://${root}/server/embedded/history-table.ts:123:9 (/tmp/perf-7857.map)

V8Worker  7860
	  99 v8::internal::Scavenger::ScavengePage (${node})
	  98 v8::internal::ScavengerCollector::JobTask::Run (${node})

MainThread  7857
	  77 JS:^add file://${root}/node_modules/@scope/thing/dist/index.js:9:1 (/tmp/perf-7857.map)
`;

describe('stacks of perf', () => {
  const stacks = perfStacks(script, { root });
  const texts = stacks.map(({ frames }) => frames.map(({ name, room }) => `${name} [${room}]`));

  test('have the thread, names that people know, and whose code it is', () => {
    expect(texts[0]).toEqual([
      'main thread [thread]',
      'node::UDPWrap::OnRecv [node, libuv, libc]',
      'onMessage node:dgram:1099 [node, libuv, libc]',
      '#flush protocol/coap/udp-port.ts:116 [protocol/coap]',
      'node::UDPWrap::Send [node, libuv, libc]',
      'sendmmsg [node, libuv, libc]',
      'system call sendmmsg [kernel]',
      '__udp_sendmsg [kernel]',
    ]);
  });

  test('count to SQLite what it calls, and tell where it begins and where it ends', () => {
    expect(texts[1]?.slice(1)).toEqual([
      'append server/embedded/history-table.ts:123 [server/embedded]',
      'node::sqlite::StatementSync::Run [node, libuv, libc]',
      'sqlite3_step [SQLite]',
      'balance_nonroot [SQLite]',
    ]);
  });

  test('know the collector of garbage and packages', () => {
    expect(texts[2]?.every((text) => /\[(thread|garbage collection)\]$/.test(text))).toBe(true);
    expect(texts[3]?.[1]).toBe('add @scope/thing/dist/index.js:9 [packages]');
  });

  test('do not tell where the project is on the disk', () => {
    expect(JSON.stringify(stacks)).not.toContain(root);
  });

  test('that are alike are one, with their number', () => {
    const twice = perfStacks(`${script}\n${script}`, { root });
    expect(twice.map(({ weight }) => weight)).toEqual([2, 2, 2, 2]);
  });
});

describe('names of code', () => {
  test('are those of the last piece that was put at a place', () => {
    const map = ['1000 100 old', '1080 10 older part', '2000 20 other', '1040 20 new', ''].join('\n');
    expect(newestCode(map)).toBe('1080 10 older part\n2000 20 other\n1040 20 new\n');
  });

  test('that touch each other all stay', () => {
    expect(newestCode('10 10 a\n20 10 b\n0 10 c\n')).toBe('10 10 a\n20 10 b\n0 10 c\n');
  });
});

describe('a profile of V8', () => {
  test('becomes stacks without the time in which the thread waited', () => {
    const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 4 });
    const stacks = stacksOf(
      {
        nodes: [
          { id: 1, callFrame: frame('(root)'), children: [2, 3, 4, 5] },
          { id: 2, callFrame: frame('work', `file://${process.cwd()}/server/x/y.ts`) },
          { id: 3, callFrame: frame('(garbage collector)') },
          { id: 4, callFrame: frame('(idle)') },
          { id: 5, callFrame: frame('run') },
        ],
        samples: [2, 3, 4, 5, 2],
        timeDeltas: [0, 10, 20, 30, 40],
      },
      'main thread',
    );
    expect(stacks.map(({ frames, weight }) => [frames.at(-1)?.name, frames.at(-1)?.room, weight])).toEqual([
      ['work server/x/y.ts:5', 'server/x', 10],
      ['(garbage collector)', 'garbage collection', 20],
      ['run', 'native functions', 40],
    ]);
  });
});

describe('a flame graph', () => {
  const frame = (name: string, room: string) => ({ name, room });
  const main = frame('main thread', 'thread');
  const stacks = [
    { frames: [main, frame('a <b> & "c"', 'server/lwm2m')], weight: 6_000 },
    { frames: [main, frame('a <b> & "c"', 'server/lwm2m'), frame('sqlite3_step', 'SQLite')], weight: 3_999 },
    { frames: [main, frame('rare', 'kernel')], weight: 1 },
  ];

  test('has a box for each function, as wide as its share, which it tells', () => {
    const svg = flameGraph('t & u', stacks);
    expect(svg).not.toMatch(/&(?!#\d+;)/);
    expect(svg.match(/<g>/g)).toHaveLength(4);
    expect(svg).toContain('<title>sqlite3_step (SQLite), 40.0 %</title>');
    expect(svg).toMatch(/<title>sqlite3_step[^\n]*width="471\.4"/);
    expect(svg).not.toContain('rare');
    expect(svg).not.toContain('NaN');
  });

  test('clips names that do not fit, and leaves out those of which nothing would be left', () => {
    const long = frame('a_function_with_a_name_that_is_far_too_long_for_its_box', 'kernel');
    const svg = flameGraph('t', [
      { frames: [long], weight: 10 },
      { frames: [frame('wide', 'V8')], weight: 90 },
      { frames: [frame('narrow', 'SQLite')], weight: 1 },
    ]);
    expect(svg).toMatch(/>a_function_with…<\/text>/);
    expect(svg).not.toMatch(/<text[^>]*>na/);
  });

  test('sums up what each room did itself', () => {
    expect([...shares(stacks)]).toEqual([
      ['server/lwm2m', 0.6],
      ['SQLite', 0.3999],
      ['kernel', 0.0001],
    ]);
  });
});
