import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { headerFromText, textFromHeader } from "../../../../host/socket/cloudevents/header.ts";
import { propertyParameters } from "../../../property/runs.ts";

describe("textFromHeader()", () => {
  test.each([
    ["plain text", "abc", "abc"],
    ["the specification's example", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["lower-case digits", "%e2%82%ac", "€"],
    ["what need not be encoded", "%61b%63", "abc"],
    ["one round only", "%2520", "%20"],
    ["a percent sign that encodes nothing", "100% %zz", "100% %zz"],
    ["quotes of older senders", '"Euro %E2%82%AC \\"x\\" \\\\"', 'Euro € "x" \\'],
    ["a quote that is not closed", '"abc', '"abc'],
    ["nothing", "", ""],
  ])("reads %s", (_name, header, text) => {
    expect(textFromHeader("ce-subject", header)).toBe(text);
  });

  test.each(["%C0%A0", "%80", "a%E2%82", "%ED%A0%80"])("refuses %s, which is no UTF-8", (header) => {
    expect(() => textFromHeader("ce-subject", header)).toThrow(
      expect.objectContaining({ code: "malformed", message: expect.stringContaining("ce-subject") }),
    );
  });
});

describe("headerFromText()", () => {
  test("encodes space, quote, percent and all that is not printable ASCII, in upper case", () => {
    expect(headerFromText('Euro € 😀 "100%"\r\nx')).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22%0D%0Ax");
  });

  test("leaves other ASCII alone", () => {
    const rest = "!#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~";
    expect(headerFromText(rest)).toBe(rest);
  });

  test("gives back any text, and nothing that breaks a header", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const header = headerFromText(text);
        expect(header).toMatch(/^[\x21-\x7e]*$/);
        expect(textFromHeader("ce-x", header)).toBe(text.toWellFormed?.() ?? text);
      }),
      propertyParameters(300),
    );
  });
});
