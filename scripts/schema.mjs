// Writes conf/viprd.schema.json from the schema of the configuration. Run it after a change of src/config/schema.ts, after the build.
import { writeFileSync } from "node:fs";

const { formatJsonSchema } = await import("../dist/config/json-schema.js").catch(() => {
  console.error("scripts/schema.mjs: run npm run build first");
  process.exit(1);
});
writeFileSync(new URL("../conf/viprd.schema.json", import.meta.url), formatJsonSchema());
