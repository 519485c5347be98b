import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAll, decodeNumber, elementLength, encode, encodeNumber, tags } from "../../src/wire/ber.ts";
import { decodeResponse, encodeBind, encodeSearch, encodeStartTls, encodeUnbind } from "../../src/wire/ldap.ts";
import { encodeFilter } from "../../src/wire/ldap-filter.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

/** What ldapsearch of OpenLDAP 2.5.13 sends for `-b dc=x -s one -z 2 -A FILTER 1.1`. */
test.each([
  [
    "(objectClass=*)",
    "302e0201026329040464633d780a01010a01000201020201000101ff870b6f626a656374436c61737330050403312e31",
  ],
  ["(uid=ann)", "302d0201026328040464633d780a01010a01000201020201000101ffa30a04037569640403616e6e30050403312e31"],
  [
    "(&(uid=a*n)(!(cn=Bob))(|(sn=A \\28b\\29\\2a)(uid>=zzz)))",
    "305b0201026356040464633d780a01010a01000201020201000101ffa038a40d0403756964300680016182016ea20ba3090402636e0403426f62a11aa30c0402736e040641202862292aa50a040375696404037a7a7a30050403312e31",
  ],
  ["(cn=*a*b*)", "302f020102632a040464633d780a01010a01000201020201000101ffa40c0402636e300681016181016230050403312e31"],
  [
    "(cn:dn:2.5.13.5:=x)",
    "30370201026332040464633d780a01010a01000201020201000101ffa9148108322e352e31332e358202636e8301788401ff30050403312e31",
  ],
  [
    "(:caseExactMatch:=x)",
    "30360201026331040464633d780a01010a01000201020201000101ffa913810e6361736545786163744d6174636883017830050403312e31",
  ],
  ["(a<=5)", "30290201026324040464633d780a01010a01000201020201000101ffa60604016104013530050403312e31"],
  ["(a~=five)", "302c0201026327040464633d780a01010a01000201020201000101ffa80904016104046669766530050403312e31"],
  ["(&)", "3023020102631e040464633d780a01010a01000201020201000101ffa00030050403312e31"],
  ["(cn=ä)", "302b0201026326040464633d780a01010a01000201020201000101ffa3080402636e0402c3a430050403312e31"],
])("a search is sent as ldapsearch sends it: %s", (filter, expected) => {
  const encoded = encodeFilter(filter);
  if (typeof encoded === "string") throw new Error(encoded);
  expect(hex(encodeSearch(2, { base: "dc=x", scope: "one", filter: encoded, sizeLimit: 2 }))).toBe(expected);
});

test.each([
  ["uid=ann", 'expected ( at "uid=ann"'],
  ["(uid=ann", "expected ) at its end"],
  ["(uid=ann))", '")" follows its end'],
  ["(uid)", 'no attribute and = in "uid)"'],
  ["(=x)", 'no attribute in "=x"'],
  ["(uid=**)", 'nothing but * in "**"'],
  ["(uid=a\\2)", '\\ without two hexadecimal digits in "a\\\\2"'],
  ["(:=x)", "neither an attribute nor a rule before :="],
  ["(cn:rule=x)", 'no attribute in "cn:rule=x"'],
  [`${"(!".repeat(30)}(a=b)${")".repeat(30)}`, "more than 20 filters in each other"],
])("a filter that is none: %s", (filter, complaint) => {
  expect(encodeFilter(filter)).toBe(complaint);
});

test("bind, StartTLS and unbind", () => {
  // RFC 4511 section 4.2 and 4.14, put together by hand.
  expect(hex(encodeBind(1, "", ""))).toBe("300c020101600702010304008000");
  expect(hex(encodeBind(2, "cn=a", "pw"))).toBe("30120201026" + "00d0201030404636e3d6180027077");
  expect(hex(encodeStartTls(1))).toBe(`301d02010177188016${Buffer.from("1.3.6.1.4.1.1466.20037").toString("hex")}`);
  expect(hex(encodeUnbind(3))).toBe("30050201034200");
});

describe("a response", () => {
  test.each([
    ["300c02010161070a010004000400", { id: 1, type: "bind", result: { code: 0, diagnostic: "" } }],
    ["300e02010165090a012004000402" + "6e6f", { id: 1, type: "search-done", result: { code: 32, diagnostic: "no" } }],
    ["300b02010264060402613d3000", { id: 2, type: "entry", name: "a=" }],
    ["3008020102" + "73030401" + "78", { id: 2, type: "reference" }],
    ["300c02010078070a013404000400", { id: 0, type: "extended", result: { code: 52, diagnostic: "" } }],
    ["300c02010161070a010004000400" + "00", undefined],
    ["300c02010161070a0100040004", undefined],
    ["300702010162020a00", undefined],
    ["3003020101", undefined],
    ["", undefined],
  ])("%s", (text, expected) => {
    expect(decodeResponse(bytes(text))).toEqual(expected);
  });

  test("no bytes at all make it throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (content) => {
        decodeResponse(content);
        decodeResponse(encode(tags.sequence, content));
        decodeResponse(encode(tags.sequence, encodeNumber(1), encode(0x61, content)));
      }),
    );
  });
});

test("lengths and numbers come back as they were", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 70_000 }), (value, size) => {
      const [element, ...others] = decodeAll(encodeNumber(value)) ?? [];
      expect(element && decodeNumber(element)).toBe(value);
      expect(others).toEqual([]);
      const long = encode(tags.octets, new Uint8Array(size));
      expect(elementLength(long)).toBe(long.length);
      expect(elementLength(long.subarray(0, 1))).toBe(undefined);
    }),
  );
});

test("lengths that LDAP does not have", () => {
  expect(["1f00", "3080", "308501"].map((text) => elementLength(bytes(text)))).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
  expect(elementLength(bytes("308201"))).toBe(undefined);
  expect(elementLength(bytes("3084ffffffff"))).toBe(2 + 4 + 0xffffffff);
});
