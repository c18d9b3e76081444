/** Root causes as filter blocks look through them, and as `rootcause.json` compares them: in the API's member names. */
import type { Trace } from '../model.ts';
import { failureRootCauses, responseTimeRootCauses, type FailurePathEntity, type RootCause } from '../root-causes.ts';
import type { Cause, RootCausePart } from './keys.ts';
import type { RootCauseElement } from './subjects.ts';
import type { JsonValue } from './syntax.ts';

/** An entity of any kind of path: failures have exceptions, response times have a coverage. */
export type PathEntity = Omit<FailurePathEntity, 'exceptions'> & {
  readonly exceptions?: FailurePathEntity['exceptions'];
  readonly coverage?: number;
};

/** The trace's root causes of one kind. */
export function rootCausesOf(trace: Trace, cause: Cause): readonly RootCause<PathEntity>[] {
  return cause === 'responsetime' ? responseTimeRootCauses(trace) : failureRootCauses(trace, cause);
}

/** The lists that a part's block looks through: positions (`first`, `last`, `index`) count within one list. */
export function listsOf({ services }: RootCause<PathEntity>, part: RootCausePart): readonly (readonly RootCauseElement[])[] {
  if (part === 'service') return [services.map(({ node, inferred }) => ({ name: node.name, type: node.type, inferred }))];
  const paths = services.map(({ entityPath }) => entityPath);
  return part === 'entity' ? paths : paths.flatMap((path) => path.map(({ exceptions = [] }) => exceptions));
}

/** The root causes as `GetTraceSummaries` answers them. */
export function toJson(causes: readonly RootCause<PathEntity>[]): JsonValue {
  return causes.map(({ services, clientImpacting }) => ({
    ClientImpacting: clientImpacting,
    Services: services.map(({ node, inferred, entityPath }) => ({
      Name: node.name,
      Names: [node.name],
      Type: node.type,
      ...(node.accountId === undefined ? {} : { AccountId: node.accountId }),
      Inferred: inferred,
      EntityPath: entityPath.map(entityJson),
    })),
  }));
}

function entityJson({ name, remote, coverage, exceptions }: PathEntity): JsonValue {
  return {
    Name: name,
    Remote: remote,
    ...(coverage === undefined ? {} : { Coverage: coverage }),
    ...(exceptions === undefined ? {} : { Exceptions: exceptions.map(({ name: Name, message: Message }) => ({ Name, Message })) }),
  };
}
