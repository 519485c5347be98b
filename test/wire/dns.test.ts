import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complaintAboutName, decodeAnswer, encodeQuery } from "../../src/wire/dns.ts";
import { hex, toHex } from "../support/hex.ts";

const query = encodeQuery(0x1234, "www.example.com", "A");
const question = "03777777076578616d706c6503636f6d0000010001";

test("a question", () => {
  expect(toHex(query)).toBe(`123401000001000000000000${question}`);
  expect(toHex(encodeQuery(1, ".", "SOA"))).toBe("0001010000010000000000000000060001");
  expect(encodeQuery(1, "example.com.", "SOA")).toEqual(encodeQuery(1, "example.com", "SOA"));
});

describe("an answer", () => {
  const cname = "c00c00050001000000000002c010";
  const a = "c00c000100010000012c0004c0000201";
  const aaaa = "c00c001c00010000012c001020010db8000000000000000000000051";

  test("with records", () => {
    const answer = decodeAnswer(query, hex(`123481800001000300000000${question}${cname}${a}${aaaa}`));
    expect(answer).toEqual({
      code: "NOERROR",
      truncated: false,
      records: 3,
      addresses: [hex("c0000201"), hex("20010db8000000000000000000000051")],
    });
  });

  test("in other letters", () => {
    const upper = question.replace("777777", "575757");
    expect(decodeAnswer(query, hex(`123481800001000000000000${upper}`))).toMatchObject({ records: 0 });
  });

  test("with a code, with and without the question", () => {
    expect(decodeAnswer(query, hex(`123481830001000000000000${question}`))).toMatchObject({ code: "NXDOMAIN" });
    expect(decodeAnswer(query, hex("123481810000000000000000"))).toMatchObject({ code: "FORMERR" });
    expect(decodeAnswer(query, hex("12348189 00000000 00000000"))).toMatchObject({
      code: "RCODE 9",
    });
  });

  test("cut off", () => {
    expect(decodeAnswer(query, hex(`123483800001000000000000${question}`))).toMatchObject({ truncated: true });
  });

  test("to another question, a question, and nonsense are none", () => {
    for (const other of [
      `123581800001000000000000${question}`,
      `123401000001000000000000${question}`,
      `123481800001000000000000${question.replace("0001000", "001c000")}`,
      `123481800001000100000000${question}`,
      `123481800001000100000000${question}c00c0001000100000000ffff`,
      `123481800001000100000000${question}8000`,
      "1234",
    ])
      expect(decodeAnswer(query, hex(other)), other).toBeUndefined();
  });

  test("of any bytes ends", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const message = Uint8Array.from([...query.subarray(0, 2), 0x81, 0x80, ...bytes]);
        const answer = decodeAnswer(query, message);
        return answer === undefined || answer.addresses.length <= answer.records;
      }),
    );
  });
});

test("names", () => {
  for (const name of [".", "example.com", "example.com.", "_ldap._tcp.example.com", "a".repeat(63)])
    expect(complaintAboutName(name), name).toBeUndefined();
  expect(complaintAboutName("a..b")).toBe("an empty part between two dots");
  expect(complaintAboutName("")).toBe("an empty part between two dots");
  expect(complaintAboutName("a".repeat(64))).toBe("a part of more than 63 characters");
  expect(complaintAboutName("bücher.example")).toBe("characters that are not printable ASCII");
  expect(complaintAboutName(`${"a".repeat(63)}.`.repeat(4))).toBe("more than 253 characters");
});
