// The SDK's errors in the five kinds that a scenario knows.

import {
  AggregateAuthenticationErrorName,
  AuthenticationErrorName,
  CredentialUnavailableErrorName,
} from "@azure/identity";

/** From the mildest to the worst: the worst of several says what the whole is. */
const KINDS = ["unavailable", "interaction-required", "failed"];

/**
 * What kind of error it is. A chain throws one kind of error for everything, whose members say
 * whether nobody was there or somebody failed. An error that is none of the SDK's own is a wrong
 * use when a credential is built, and a failure when a token is asked for.
 */
function kindOf(error, isBuilding) {
  switch (error?.name) {
    case CredentialUnavailableErrorName:
      return "unavailable";
    case "AuthenticationRequiredError":
      return "interaction-required";
    case AuthenticationErrorName:
      return "failed";
    case AggregateAuthenticationErrorName: {
      const members = (error.errors ?? []).map((member) => KINDS.indexOf(kindOf(member, false)));
      return KINDS[Math.max(...members)] ?? "failed";
    }
    case "AbortError":
      return "cancelled";
    default:
      return isBuilding ? "configuration" : "failed";
  }
}

/** The messages of an error and of what caused it, one a line, nothing twice. */
function told(error) {
  const lines = [];
  const seen = new Set();
  for (let at = error; at && !seen.has(at); at = at.cause) {
    seen.add(at);
    const message = String(at.message ?? at).trim();
    if (!lines.some((line) => line.includes(message))) {
      lines.push(at === error ? message : `caused by ${at.name ?? "Error"}: ${message}`);
    }
  }
  return lines.join("\n");
}

/** The first of the error and its causes that has this. */
function find(error, what) {
  for (let at = error, depth = 0; at && depth < 10; at = at.cause, depth += 1) {
    const found = what(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The error as the protocol tells it. */
export function describe(error, isBuilding) {
  const status = find(error, (at) =>
    Number.isInteger(at.statusCode) && at.statusCode >= 100 ? at.statusCode : undefined,
  );
  const code = find(error, (at) => at.errorResponse?.error ?? at.errorCode);
  return {
    kind: kindOf(error, isBuilding),
    class: error?.name ?? typeof error,
    message: told(error),
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code: String(code) }),
  };
}
