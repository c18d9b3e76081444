/** Settings of the whole account. They are kept and given back; what they do not change here is said in docs/reference/xray-api.md. */
import { err, ok, type Result } from '../base/index.ts';
import {
  type AwsError,
  type EncryptionChoice,
  invalidRequest,
  modelled,
  parseDeleteResourcePolicy,
  parseNextToken,
  parseNothing,
  parsePutEncryptionConfig,
  parsePutResourcePolicy,
  parseUpdateDestination,
  parseUpdateIndexingRule,
  type PutResourcePolicyRequest,
  resourceNotFound,
  type SegmentDestination,
  type Wire,
} from '../xray/index.ts';
import { type Answer, chain, type Handler, pageOfList } from './operation.ts';
import { changeSetting, deleteSetting, type SettingsStore } from './settings-change.ts';

interface StoredPolicy {
  readonly document: string;
  readonly revision: number;
  readonly updatedSeconds: number;
}

interface StoredIndexing {
  readonly percentage: number;
  readonly modifiedSeconds: number;
}

type Name =
  | 'DeleteResourcePolicy'
  | 'GetEncryptionConfig'
  | 'GetIndexingRules'
  | 'GetTraceSegmentDestination'
  | 'ListResourcePolicies'
  | 'PutEncryptionConfig'
  | 'PutResourcePolicy'
  | 'UpdateIndexingRule'
  | 'UpdateTraceSegmentDestination';

const ENCRYPTION = { kind: 'account', id: 'encryption' };
const DESTINATION = { kind: 'account', id: 'segment-destination' };
const INDEXING = { kind: 'indexing-rule', id: 'Default' };
const POLICY_KIND = 'resource-policy';
/** As at AWS. */
const MAX_POLICIES = 5;
const MAX_POLICY_BYTES = 5 * 1024;
/** Whatever is stored is found. */
const INDEXED_PERCENTAGE = 100;

export class AccountService {
  readonly operations: Readonly<Record<Name, Handler>> = {
    DeleteResourcePolicy: (body) => chain(parseDeleteResourcePolicy(body), async (request) => this.#deletePolicy(request)),
    GetEncryptionConfig: (body) => chain(parseNothing(body), () => ok({ EncryptionConfig: toWireEncryption(this.#encryption()) })),
    GetIndexingRules: (body) => chain(parseNextToken(body), ({ nextToken }) => this.#indexingRules(nextToken)),
    GetTraceSegmentDestination: (body) => chain(parseNothing(body), () => ok(toWireDestination(this.#destination()))),
    ListResourcePolicies: (body) => chain(parseNextToken(body), ({ nextToken }) => this.#policies(nextToken)),
    PutEncryptionConfig: (body) => chain(parsePutEncryptionConfig(body), async (choice) => this.#putEncryption(choice)),
    PutResourcePolicy: (body) => chain(parsePutResourcePolicy(body), async (request) => this.#putPolicy(request)),
    UpdateIndexingRule: (body) => chain(parseUpdateIndexingRule(body), async (request) => this.#updateIndexing(request)),
    UpdateTraceSegmentDestination: (body) => chain(parseUpdateDestination(body), async (wanted) => this.#updateDestination(wanted)),
  };
  readonly #settings: SettingsStore;
  readonly #nowSeconds: () => number;

  constructor(settings: SettingsStore, nowSeconds: () => number) {
    this.#settings = settings;
    this.#nowSeconds = nowSeconds;
  }

  #encryption(): EncryptionChoice {
    return (this.#settings.find(ENCRYPTION)?.value as EncryptionChoice | undefined) ?? { type: 'NONE', keyId: undefined };
  }

  async #putEncryption(choice: EncryptionChoice): Promise<Answer> {
    const put = await changeSetting<EncryptionChoice>(this.#settings, ENCRYPTION, () => ok(choice));
    return put.ok ? ok({ EncryptionConfig: toWireEncryption(put.value) }) : put;
  }

  #destination(): SegmentDestination {
    return (this.#settings.find(DESTINATION)?.value as SegmentDestination | undefined) ?? 'XRay';
  }

  async #updateDestination(wanted: SegmentDestination | undefined): Promise<Answer> {
    const put = await changeSetting<SegmentDestination>(this.#settings, DESTINATION, (current) => ok(wanted ?? current ?? 'XRay'));
    return put.ok ? ok(toWireDestination(put.value)) : put;
  }

  #indexingRules(nextToken: string | undefined): Answer {
    const stored = this.#settings.find(INDEXING)?.value as StoredIndexing | undefined;
    const items = [stored ?? { percentage: INDEXED_PERCENTAGE, modifiedSeconds: 0 }];
    return pageOfList(
      'GetIndexingRules',
      'IndexingRules',
      { items, keyOf: () => INDEXING.id, toWire: toWireIndexing, size: 10 },
      nextToken,
    );
  }

  async #updateIndexing({ name, percentage }: { name: string; percentage: number }): Promise<Answer> {
    if (name !== INDEXING.id) return err(resourceNotFound(name, `There is no indexing rule named ${name}, only Default.`));
    const modifiedSeconds = Math.round(this.#nowSeconds() * 1000) / 1000;
    const put = await changeSetting<StoredIndexing>(this.#settings, INDEXING, () => ok({ percentage, modifiedSeconds }));
    return put.ok ? ok({ IndexingRule: toWireIndexing(put.value) }) : put;
  }

  #policies(nextToken: string | undefined): Answer {
    const items = this.#settings.list(POLICY_KIND).map(({ id, value }) => ({ name: id, policy: value as StoredPolicy }));
    const toWire = ({ name, policy }: (typeof items)[number]): Wire => toWirePolicy(name, policy);
    return pageOfList(
      'ListResourcePolicies',
      'ResourcePolicies',
      { items, keyOf: ({ name }) => name, toWire, size: MAX_POLICIES },
      nextToken,
    );
  }

  async #putPolicy({ name, document, revisionId, bypassLockoutCheck }: PutResourcePolicyRequest): Promise<Answer> {
    const fault = checkPolicy(document, bypassLockoutCheck);
    if (fault) return err(fault);
    const others = this.#settings.list(POLICY_KIND).filter(({ id }) => id !== name);
    if (others.length >= MAX_POLICIES) {
      return err(modelled('PolicyCountLimitExceededException', `There are ${MAX_POLICIES} resource policies already: delete one first.`));
    }
    const updatedSeconds = Math.round(this.#nowSeconds() * 1000) / 1000;
    const put = await changeSetting<StoredPolicy>(this.#settings, { kind: POLICY_KIND, id: name }, (current) => {
      const wrong = checkRevision(name, current, revisionId);
      return wrong ? err(wrong) : ok({ document, revision: (current?.revision ?? 0) + 1, updatedSeconds });
    });
    return put.ok ? ok({ ResourcePolicy: toWirePolicy(name, put.value) }) : put;
  }

  async #deletePolicy({ name, revisionId }: { name: string; revisionId: string | undefined }): Promise<Answer> {
    const deleted = await deleteSetting<StoredPolicy>(this.#settings, { kind: POLICY_KIND, id: name }, (current) => {
      if (current === undefined) return err(invalidRequest(`There is no resource policy named ${name}.`));
      const wrong = checkRevision(name, current, revisionId);
      return wrong ? err(wrong) : ok(current);
    });
    return deleted.ok ? ok({}) : deleted;
  }
}

/** `0` stands for: there must be none. */
function checkRevision(name: string, current: StoredPolicy | undefined, revisionId: string | undefined): AwsError | undefined {
  const present = String(current?.revision ?? 0);
  if (revisionId === undefined || revisionId === present) return undefined;
  return modelled('InvalidPolicyRevisionIdException', `The policy ${name} is at revision ${present}, not ${revisionId}.`);
}

function checkPolicy(document: string, bypassLockoutCheck: boolean): AwsError | undefined {
  if (Buffer.byteLength(document) > MAX_POLICY_BYTES) {
    return modelled('PolicySizeLimitExceededException', `The policy document is larger than ${MAX_POLICY_BYTES} bytes.`);
  }
  const statements = parseStatements(document);
  if (!statements.ok) return modelled('MalformedPolicyDocumentException', `The policy document ${statements.error}.`);
  if (bypassLockoutCheck || !statements.value.some(locksOut)) return undefined;
  return modelled(
    'LockoutPreventionException',
    'The policy denies xray:PutResourcePolicy to everyone: nobody could change it again. BypassPolicyLockoutCheck allows it.',
  );
}

type Statement = Readonly<Record<string, unknown>>;

function parseStatements(document: string): Result<readonly Statement[], string> {
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch {
    return err('is not JSON');
  }
  if (!isObject(policy)) return err('is not a JSON object');
  const { Version: version, Statement: given } = policy;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') return err('has an unknown Version');
  const statements = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  if (given === undefined || statements.length === 0) return err('has no Statement');
  for (const statement of statements) {
    if (!isObject(statement)) return err('has a Statement that is not an object');
    if (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny') return err('has a Statement whose Effect is not Allow or Deny');
    if (statement['Action'] === undefined && statement['NotAction'] === undefined) return err('has a Statement without Action');
    if (statement['Principal'] === undefined && statement['NotPrincipal'] === undefined) return err('has a Statement without Principal');
  }
  return ok(statements as readonly Statement[]);
}

function isObject(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Denies everyone, whoever asks being unknown here, the operation that would undo it. Conditions are not looked at: they may spare somebody. */
function locksOut(statement: Statement): boolean {
  if (statement['Effect'] !== 'Deny' || statement['Condition'] !== undefined) return false;
  const principal = statement['Principal'];
  const everyone = principal === '*' || (isObject(principal) && [principal['AWS']].flat().includes('*'));
  const actions = [statement['Action']].flat().filter((action) => typeof action === 'string');
  return everyone && actions.some((action) => /^(\*|xray:\*|xray:put\*|xray:putresourcepolicy)$/i.test(action));
}

function toWireEncryption({ type, keyId }: EncryptionChoice): Wire {
  return { ...(keyId !== undefined && { KeyId: keyId }), Status: 'ACTIVE', Type: type };
}

function toWireDestination(destination: SegmentDestination): Wire {
  return { Destination: destination, Status: 'ACTIVE' };
}

function toWireIndexing({ percentage, modifiedSeconds }: StoredIndexing): Wire {
  const Probabilistic = { DesiredSamplingPercentage: percentage, ActualSamplingPercentage: INDEXED_PERCENTAGE };
  return { Name: INDEXING.id, ModifiedAt: modifiedSeconds, Rule: { Probabilistic } };
}

function toWirePolicy(name: string, { document, revision, updatedSeconds }: StoredPolicy): Wire {
  return { PolicyName: name, PolicyDocument: document, PolicyRevisionId: String(revision), LastUpdatedTime: updatedSeconds };
}
