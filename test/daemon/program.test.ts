import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Child } from "../../src/daemon/child.ts";
import { temporaryDirectory } from "./support.ts";

test("a process has as many threads that wait as it is to have, and Node's own number unless told", async () => {
  const file = join(temporaryDirectory(), "says.mjs");
  writeFileSync(file, 'console.log("threads:", process.env.UV_THREADPOOL_SIZE);\n');
  const said = (waitingThreads?: number) =>
    new Promise<string>((resolve) => {
      const program = { file, arguments: [], ...(waitingThreads === undefined ? {} : { waitingThreads }) };
      new Child(program, { message: () => {}, said: resolve, end: (why) => resolve(why) });
    });
  expect(await said(64)).toBe("threads: 64");
  expect(await said()).toBe("threads: undefined");
});
