import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import {
  addressFromText,
  attributeFromText,
  bytesFromText,
  originsFromText,
  wholeNumber,
} from "../../../host/cli/values.ts";

describe("addressFromText()", () => {
  test.each([
    { text: "127.0.0.1:7480", host: "127.0.0.1", port: 7480 },
    { text: "localhost:0", host: "localhost", port: 0 },
    { text: "[::1]:80", host: "::1", port: 80 },
    { text: "8080", host: "127.0.0.1", port: 8080 },
    { text: ":8080", host: "127.0.0.1", port: 8080 },
    { text: "0.0.0.0:65535", host: "0.0.0.0", port: 65_535 },
  ])("reads $text", ({ text, host, port }) => {
    expect(addressFromText(text)).toEqual({ host, port });
  });

  test.each(["", "host", "host:", "host:x", "::1:80", "host:70000x", "a b:80", "http://h:80", "h:-1"])(
    "refuses %j and quotes it",
    (text) => {
      expect(() => addressFromText(text)).toThrow(InvalidArgumentError);
      expect(() => addressFromText(text)).toThrow(`"${text}"`);
    },
  );

  test("names port and limit beyond 65535", () => {
    expect(() => addressFromText("h:65536")).toThrow("Port 65536 is above 65535.");
  });
});

describe("originsFromText()", () => {
  test("reads one, and several between commas", () => {
    expect(originsFromText("https://app.example.org")).toEqual(["https://app.example.org"]);
    expect(originsFromText("http://a:8080, https://b")).toEqual(["http://a:8080", "https://b"]);
  });

  test.each(["", "app.example.org", "https://app.example.org/", "https://a/path", "ftp://a", "*", "null", "HTTPS://A"])(
    "refuses %j and quotes it",
    (text) => {
      expect(() => originsFromText(text)).toThrow(InvalidArgumentError);
      expect(() => originsFromText(text)).toThrow(`"${text}"`);
    },
  );
});

describe("bytesFromText()", () => {
  test.each([
    ["1048576", 1_048_576],
    ["512MiB", 536_870_912],
    ["512mb", 536_870_912],
    ["2g", 2_147_483_648],
    ["1.5KiB", 1_536],
    ["100 B", 100],
    ["0", 0],
  ])("reads %s as %d", (text, bytes) => {
    expect(bytesFromText(text)).toBe(bytes);
  });

  test.each(["", "MiB", "-1", "1TB", "1e6", "0x10", "1 2", "1.0001KiB", "99999999999999999999"])(
    "refuses %j and quotes it",
    (text) => {
      expect(() => bytesFromText(text)).toThrow(InvalidArgumentError);
      expect(() => bytesFromText(text)).toThrow(`"${text}"`);
    },
  );
});

describe("wholeNumber()", () => {
  const read = wholeNumber(1, 9);

  test("takes both bounds", () => {
    expect([read("1"), read("9")]).toEqual([1, 9]);
  });

  test.each([
    ["0", "0 is below the least, 1."],
    ["10", "10 is above the limit, 9."],
    ["1.5", '"1.5" is not a whole number.'],
    ["-3", '"-3" is not a whole number.'],
    ["", '"" is not a whole number.'],
    ["9007199254740993", '"9007199254740993" is not a whole number.'],
  ])("refuses %j with value and bound", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe("attributeFromText()", () => {
  test.each([
    ["load=0.42", { load: 0.42 }],
    ["n=-7", { n: -7 }],
    ["big=1e3", { big: 1000 }],
    ["urgent=true", { urgent: true }],
    ["off=false", { off: false }],
    ["zone=eu", { zone: "eu" }],
    ["zone:=42", { zone: "42" }],
    ["flag:=true", { flag: "true" }],
    ["empty=", { empty: "" }],
    ["pair=a=b", { pair: "a=b" }],
    ["zip=00123", { zip: "00123" }],
    ["id=12345678901234567890", { id: "12345678901234567890" }],
    ["hex=0x10", { hex: "0x10" }],
  ])("reads %s by type", (text, attributes) => {
    expect(attributeFromText(text)).toEqual(attributes);
  });

  test("adds to what was gathered", () => {
    expect(attributeFromText("b=2", { a: 1 })).toEqual({ a: 1, b: 2 });
  });

  test("refuses a name given twice with different values and names both", () => {
    expect(() => attributeFromText("a=2", { a: 1 })).toThrow('"a" is given twice, as 1 and 2.');
  });

  test.each(["a", "=1", ":=1", ""])("refuses %j", (text) => {
    expect(() => attributeFromText(text)).toThrow(InvalidArgumentError);
  });
});
