/** Changes of settings made for an operation: read, decide, put; once more when somebody else was faster. */
import { err, type Result } from '../base/index.ts';
import type { Setting, SettingError, SettingKey, StoredSettings } from '../store/index.ts';
import { type AwsError, throttled, unavailable } from '../xray/index.ts';

/** What the operations need of `StoredSettings`. */
export type SettingsStore = Pick<StoredSettings, 'list' | 'find' | 'lastDeletedSeconds' | 'read' | 'put' | 'delete'>;

const MAX_TRIES = 4;

/** Puts what `decide` makes of the present value; undefined stands for none. */
export async function changeSetting<T>(
  settings: SettingsStore,
  key: SettingKey,
  decide: (current: T | undefined) => Result<T, AwsError>,
): Promise<Result<T, AwsError>> {
  return tryAgain(settings, key, async (current) => {
    const next = decide(current?.value as T | undefined);
    if (!next.ok) return next;
    const put = await settings.put(key, next.value, current?.version ?? 0);
    return put.ok ? next : { ok: false, conflict: put.error };
  });
}

/** Deletes what is there when `decide` agrees; what was deleted. */
export async function deleteSetting<T>(
  settings: SettingsStore,
  key: SettingKey,
  decide: (current: T | undefined) => Result<T, AwsError>,
): Promise<Result<T, AwsError>> {
  return tryAgain(settings, key, async (current) => {
    const agreed = decide(current?.value as T | undefined);
    if (!agreed.ok || current === undefined) return agreed;
    const deleted = await settings.delete(key, current.version);
    return deleted.ok ? agreed : { ok: false, conflict: deleted.error };
  });
}

type Attempt<T> = Result<T, AwsError> | { readonly ok: false; readonly conflict: SettingError };

async function tryAgain<T>(
  settings: SettingsStore,
  key: SettingKey,
  attempt: (current: Setting | undefined) => Promise<Attempt<T>>,
): Promise<Result<T, AwsError>> {
  for (let tries = 1; ; tries++) {
    const current = await settings.read(key);
    if (!current.ok) return err(toStoreFailure(current.error));
    const outcome = await attempt(current.value);
    if (!('conflict' in outcome)) return outcome;
    if (outcome.conflict.kind !== 'conflict' || tries === MAX_TRIES) return err(toStoreFailure(outcome.conflict));
  }
}

/** As AWS's clients take it: they try again after both. */
export function toStoreFailure(error: SettingError): AwsError {
  return error.kind === 'conflict' ? throttled(error.message) : unavailable(error.message);
}
