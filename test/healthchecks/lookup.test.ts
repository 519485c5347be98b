import type { LookupFunction } from "node:net";
import { expect, test } from "vitest";
import { sharedLookup } from "../../src/healthchecks/lookup.ts";

type Answered = Parameters<LookupFunction>[2];

test("while a name is being looked up, whoever wants it waits for that answer; afterwards it is asked for again", () => {
  const asked: { readonly name: string; readonly answered: Answered }[] = [];
  const lookup = sharedLookup((name, _options, answered) => void asked.push({ name, answered }));
  const answers: string[] = [];
  const want = (name: string, who: string, family?: number) =>
    lookup(name, family === undefined ? {} : { family }, (error, address) => {
      answers.push(`${who}: ${error?.message ?? address}`);
    });
  want("a.test", "first");
  want("a.test", "second");
  want("b.test", "other");
  want("a.test", "another family", 6);
  expect(asked.map(({ name }) => name)).toEqual(["a.test", "b.test", "a.test"]);
  asked[0]?.answered(null, "192.0.2.1");
  asked[1]?.answered(new Error("no such name"), "");
  expect(answers).toEqual(["first: 192.0.2.1", "second: 192.0.2.1", "other: no such name"]);
  want("a.test", "third");
  expect(asked).toHaveLength(4);
});
