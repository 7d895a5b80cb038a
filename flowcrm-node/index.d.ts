/// <reference lib="esnext.disposable" />
import type {Caller, Import} from "./types.js";

export type * from "./types.js";

/** What an amount in major units is told as: a number, or its exact text in a CRM that was opened with `{money: "string"}`. */
export type Money = number | string;

/** How a call is made. */
export interface CallOptions {
  /** Gives the call up when it is aborted: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How something is created. */
export interface CreateOptions extends CallOptions {
  /** Makes the call safe to repeat: for 24 hours the same key and fields answer the first result. */
  idempotencyKey?: string | undefined;
}

/** How something is changed. */
export interface UpdateOptions extends CallOptions {
  /** The version that is known of the record; another one is refused as `stale_version`. */
  version?: number | undefined;
}

/** How an import is followed. */
export interface ImportCallOptions extends CallOptions {
  /** Called with the import at once, and after each change; what it returns is awaited. */
  onProgress?: ((now: Import) => unknown) | undefined;
}

/**
 * A file to import: a path, its bytes, or a stream of bytes or text. A stream is destroyed when the import is refused;
 * give `request.iterator({destroyOnReturn: false})` where the answer goes the same way.
 */
export type CsvSource = string | URL | Uint8Array | AsyncIterable<Uint8Array | string>;

/** What is wrong with one field. */
export interface BadField {
  /** The field's name; of a nested field with dots: `options.mapping.name`. */
  field: string;
  /** A sentence without its subject: "must be at most 200 characters". */
  message: string;
}

/** Anything that goes wrong in FlowCRM. */
export class FlowCrmError extends Error {
  /** The stable word for what went wrong: `validation_failed`, `not_found`. */
  readonly code: string;
  /** The HTTP status that the server answers for it. */
  readonly status: number;
  /** All bad fields; empty when the error is not about fields. */
  readonly errors: BadField[];
}

/** A list of records, which fetches its pages as it goes. */
export class Listing<T> implements AsyncIterable<T> {
  private constructor();
  /** How many records there are in all; null unless it was asked with `count`. */
  total(): Promise<number | null>;
  /** The records of the first page. */
  page(): Promise<T[]>;
  /** All records. */
  all(): Promise<T[]>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** What works in the background, until it is stopped. */
export class Worker implements AsyncDisposable {
  private constructor();
  /** Ends it; what it was doing is taken up by the next worker. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A CRM. */
export class Crm<M extends Money = number> implements AsyncDisposable {
  private constructor();
  /** Makes an organization with its first OWNER, and signs them in. */
  register(
    fields: {name: string; email: string; password: string; orgName: string},
    options?: CallOptions,
  ): Promise<Caller<M>>;
  /** Signs a user in; `code` is one of their authenticator, for users with two-factor sign-in. */
  signIn(
    fields: {email: string; password: string; code?: string | null | undefined},
    options?: CallOptions,
  ): Promise<Caller<M>>;
  /** Acts as a user without a password: for programs that are trusted with every organization. */
  asUser(idOrEmail: string, options?: CallOptions): Promise<Caller<M>>;
  /** Begins to work in the background, as a server does: `me.imports.undo` needs a worker somewhere. */
  worker(): Promise<Worker>;
  /** Ends all connections; what is called afterwards is refused as `unavailable`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a CRM is opened. */
export interface OpenOptions<M extends keyof MoneyTypes = keyof MoneyTypes> {
  /** Signs tokens; at least 32 bytes, the same for all who use the database. `JWT_SECRET` when absent. */
  secret?: string | undefined;
  /** Brings a Postgres database up to date. */
  migrate?: boolean | undefined;
  /** How money is told: as a number, or as its exact text. */
  money?: M | undefined;
  /** Gives waiting up when it is aborted; what has begun by then, such as bringing a database up to date, goes on. */
  signal?: AbortSignal | undefined;
}

/** What money is told as, by the option `money`. */
export interface MoneyTypes {
  number: number;
  string: string;
}

/** Opens the CRM in the database at `url`: `sqlite:crm.db`, `sqlite::memory:`, `postgres://...`. */
export function open<M extends keyof MoneyTypes = "number">(
  url: string,
  options?: OpenOptions<M>,
): Promise<Crm<MoneyTypes[M]>>;
