"use strict";

/** A list of records: an asynchronous iterable that fetches its pages as it goes. */
class Listing {
  #fetch;
  #first;

  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** The first page, fetched once unless that fails. */
  async #begin() {
    this.#first ??= this.#fetch(undefined);
    try {
      return await this.#first;
    } catch (error) {
      this.#first = undefined;
      throw error;
    }
  }

  /** How many records there are in all; null unless it was asked with `count`. */
  async total() {
    return (await this.#begin()).total;
  }

  /** The records of the first page. */
  async page() {
    return (await this.#begin()).value;
  }

  /** All records. */
  async all() {
    const records = [];
    for await (const record of this) records.push(record);
    return records;
  }

  async *[Symbol.asyncIterator]() {
    let page = await this.#begin();
    for (;;) {
      yield* page.value;
      if (page.next === null) return;
      page = await this.#fetch(page.next);
    }
  }
}

module.exports = {Listing};
