import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { until } from "./support.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

test.each(["vrrp", "checks"])(
  "a %s process whose supervisor died while it was loading ends by itself",
  async (role) => {
    if (!existsSync(main)) throw new Error("dist/main.js is missing: npm run build");
    const child = fork(main, ["internal", role], { stdio: "ignore" });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    child.disconnect();
    await until(() => child.exitCode !== null || child.signalCode !== null, "its end", 15_000);
    expect(child.signalCode).toBeNull();
  },
);
