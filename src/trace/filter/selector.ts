/** Which nodes `service("x")` and `edge(id(…), …)` select. */
import { CLIENT_TYPE } from '../graph.ts';
import type { NodeKey } from '../model.ts';
import type { NodeSelector } from './syntax.ts';

/** Whether all parts that the selector gives are the node's; no selector fits every node. */
export function nodeFits(selector: NodeSelector | undefined, node: NodeKey): boolean {
  if (selector === undefined) return true;
  const { name, type, accountId } = selector;
  return (
    (name === undefined || name === node.name) &&
    (type === undefined || type === node.type) &&
    (accountId === undefined || accountId === node.accountId)
  );
}

/**
 * Whether the selector fits the client of a root node. The client has the root's name, so a name alone means the root itself;
 * the client is meant by its type, or when nothing is said.
 */
export function clientFits(selector: NodeSelector | undefined, root: NodeKey): boolean {
  return selector === undefined || (selector.type === CLIENT_TYPE && nodeFits(selector, { ...root, type: CLIENT_TYPE }));
}
