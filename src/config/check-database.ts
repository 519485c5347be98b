/** `type: mysql` and `type: pgsql` */
import { z } from "zod";
import type { MysqlParameters } from "../healthchecks/mysql.ts";
import type { PgsqlParameters } from "../healthchecks/pgsql.ts";
import type { Query } from "../healthchecks/query.ts";
import { credentialKeys, describeLogin, describePassword, resolvePassword } from "./check-credentials.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { required, unset } from "./keys.ts";
import { expected, text } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const database = text("the name of a database", (value) => (value === "" || value.includes("\0") ? "" : undefined));
const statement = text("a query", (value) => (value.trim() === "" || value.includes("\0") ? "" : undefined));
const rowRule = "a text or a number, or a list of them";
const cell = z
  .union([z.string(), z.number()], { error: ({ input }) => expected(rowRule, input) })
  .transform((value) => String(value));
const row = z.union([cell.transform((value) => [value]), z.array(cell).min(1)]).meta({ "x-bounds": rowRule });

const queryKeys = {
  database: unset(database, "the server's choice", "Database to be in."),
  query: unset(statement, "none", "Query that is made after the login; it must find a row. Keep what it finds small."),
  row: unset(
    row,
    "any",
    "With query: the values that the first row must begin with, as the server writes them. A number stands for its digits.",
  ),
};

interface QueryValues {
  readonly database?: string | undefined;
  readonly query?: string | undefined;
  readonly row?: readonly (string | undefined)[] | undefined;
}

function resolveQuery({ database, query, row }: QueryValues, path: Path, report: Report) {
  if (row !== undefined && query === undefined && !report.isGiven([...path, "query"])) {
    report.error([...path, "row"], "needs query, too");
  }
  return {
    ...(database === undefined ? {} : { database }),
    ...(query === undefined ? {} : { query: { text: query, row: row?.map((value) => value ?? "") ?? [] } }),
  };
}

function describeQuery(database: string | undefined, query: Query | undefined) {
  return { database, query: query?.text, row: query === undefined || query.row.length === 0 ? undefined : query.row };
}

export const mysqlSchema = checkSchema({
  keys: {
    ...endpointKeys("3306"),
    ...credentialKeys,
    username: required(
      credentialKeys.username.unwrap(),
      "Name to log in with. A server blocks hosts that connect again and again without a login.",
    ),
    password: unset(
      credentialKeys.password.unwrap(),
      "the empty one",
      "Its password; $" + "{NAME} takes it from the environment. It is never shown.",
    ),
    ...queryKeys,
    ...serviceTlsKeys("starttls"),
  },
  resolve(values, path, report): MysqlParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const password = resolvePassword(values, path, report);
    const query = resolveQuery(values, path, report);
    const endpoint = resolveEndpoint(values, 3306, path, report);
    const { username: user } = values;
    if (endpoint === undefined || user === undefined) return undefined;
    return { type: "mysql", ...endpoint, user, ...(password === undefined ? {} : { password }), ...query, ...tls };
  },
  describe: (mysql: MysqlParameters, mask) => ({
    ...describeEndpoint(mysql),
    username: mysql.user,
    ...describePassword(mysql.password, mask),
    ...describeQuery(mysql.database, mysql.query),
    ...describeServiceTls(mysql.tls),
  }),
});

export const pgsqlSchema = checkSchema({
  keys: {
    ...endpointKeys("5432"),
    ...credentialKeys,
    username: unset(
      credentialKeys.username.unwrap(),
      "no login",
      "Name to log in with. Without a password it is enough that the server asks for one.",
    ),
    ...queryKeys,
    ...serviceTlsKeys("starttls", "implicit"),
  },
  resolve(values, path, report): PgsqlParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const password = resolvePassword(values, path, report);
    const query = resolveQuery(values, path, report);
    const { username: user } = values;
    if (!report.isGiven([...path, "username"])) {
      for (const key of ["password", "password_file", "database", "query"] as const) {
        if (values[key] !== undefined) report.error([...path, key], "needs username, too");
      }
    }
    const endpoint = resolveEndpoint(values, 5432, path, report);
    if (endpoint === undefined) return undefined;
    const login = user === undefined ? {} : { login: { user, ...(password === undefined ? {} : { password }) } };
    return { type: "pgsql", ...endpoint, ...login, ...query, ...tls };
  },
  describe: (pgsql: PgsqlParameters, mask) => ({
    ...describeEndpoint(pgsql),
    ...describeLogin(pgsql.login, mask),
    ...describeQuery(pgsql.database, pgsql.query),
    ...describeServiceTls(pgsql.tls),
  }),
});
