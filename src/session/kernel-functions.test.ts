import { expect, test } from 'vitest';
import { suggestTracepoints } from './kernel-functions.ts';

const TRACEPOINTS = [
  'syscalls.sys_enter_read',
  'tcp.tcp_send_reset',
  'tcp.tcp_retransmit_skb',
  'sched.sched_switch',
  'sock.sock_send_length',
];

test.each([
  ['vfs_read', ['_tracepoint.syscalls.sys_enter_read']],
  ['tcp_retransmit_skb', ['_tracepoint.tcp.tcp_retransmit_skb']],
  ['tcp_sendmsg', ['_tracepoint.tcp.tcp_retransmit_skb', '_tracepoint.tcp.tcp_send_reset']],
  ['do_exit', []],
])('suggestTracepoints() names what shares words with %s', (name, expected) => {
  expect([...suggestTracepoints(name, TRACEPOINTS)].toSorted()).toEqual(expected);
});
