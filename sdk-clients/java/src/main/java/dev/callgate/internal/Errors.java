package dev.callgate.internal;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.callgate.internal.Failure.Kind;

/** From an answer that is none to a typed error. */
final class Errors {
    private Errors() {}

    /** An answer's head, as much as errors need. */
    interface Head {
        int status();

        /** The header's value, or null. */
        String header(String name);
    }

    /** Why this answer is none, or null if it is one. Only {@code body} of an error is read. */
    static Failure of(Head head, String body, boolean compressed) {
        int status = head.status();
        String requestId = head.header("x-amzn-requestid");
        if (requestId == null && status < 500) {
            return complete(
                    Failure.offline("HTTP " + status + " from something that is not the gateway", null), head, null);
        }
        if (status == 200) {
            String error = head.header("x-amz-function-error");
            return error == null ? null : complete(ofFunction(error, body), head, null);
        }
        JsonObject members = Json.object(body);
        String code = code(head.header("x-amzn-errortype"), members);
        String message = first(members, "message", "Message", "errorMessage");
        Failure failure = new Failure(kind(status, code), message == null ? "HTTP " + status : message);
        failure.retryAfterMs = retryAfterMs(head.header("retry-after"));
        switch (failure.kind) {
            case THROTTLED:
                failure.retry = true;
                failure.reason = Json.string(members, "Reason");
                failure.limit = head.header("x-callgate-limit");
                break;
            case SERVICE:
                failure.retry = true;
                break;
            case AUTHENTICATION:
                failure.refresh = "ExpiredTokenException".equals(code) || "UnrecognizedClientException".equals(code);
                failure.clock = "InvalidSignatureException".equals(code);
                break;
            case INVALID_REQUEST:
                failure.plain = compressed && (status == 415 || "InvalidRequestContentException".equals(code));
                break;
            default:
                break;
        }
        return complete(failure, head, code);
    }

    private static Failure complete(Failure failure, Head head, String code) {
        failure.details.code = code;
        failure.details.status = head.status();
        failure.details.requestId = head.header("x-amzn-requestid");
        return failure;
    }

    private static Kind kind(int status, String code) {
        switch (code == null ? "" : code) {
            case "TooManyRequestsException":
            case "ThrottlingException":
            case "Throttling":
                return Kind.THROTTLED;
            case "ExpiredTokenException":
            case "UnrecognizedClientException":
            case "InvalidSignatureException":
            case "MissingAuthenticationTokenException":
            case "IncompleteSignatureException":
            case "NotAuthorizedException":
                return Kind.AUTHENTICATION;
            case "IdempotencyOutcomeUnknownException":
                return Kind.OUTCOME_UNKNOWN;
            default:
                break;
        }
        switch (status) {
            case 403:
                return Kind.DENIED;
            case 404:
                return Kind.NOT_FOUND;
            case 408:
                return Kind.DEADLINE;
            case 409:
                return Kind.CONFLICT;
            case 429:
                return Kind.THROTTLED;
            default:
                return status >= 500 ? Kind.SERVICE : Kind.INVALID_REQUEST;
        }
    }

    /** The code without the namespace before it and the address behind it. */
    private static String code(String header, JsonObject body) {
        String code = header == null || header.isEmpty() ? first(body, "__type", "code") : header;
        if (code == null) {
            return null;
        }
        int colon = code.indexOf(':');
        code = colon < 0 ? code : code.substring(0, colon);
        return code.substring(code.lastIndexOf('#') + 1);
    }

    private static String first(JsonObject object, String... names) {
        for (String name : names) {
            String found = Json.string(object, name);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** Whole seconds of at most ten digits, as milliseconds; -1 for anything else. */
    private static long retryAfterMs(String header) {
        if (header == null || header.isEmpty() || header.length() > 10) {
            return -1;
        }
        for (int i = 0; i < header.length(); i++) {
            if (header.charAt(i) < '0' || header.charAt(i) > '9') {
                return -1;
            }
        }
        return Long.parseLong(header) * 1000;
    }

    private static Failure ofFunction(String header, String body) {
        JsonElement value = Json.parse(body);
        JsonObject members = value instanceof JsonObject ? (JsonObject) value : new JsonObject();
        String type = Json.string(members, "errorType");
        String message = Json.string(members, "errorMessage");
        if (message == null && value instanceof JsonPrimitive) {
            message = value.getAsString();
        } else if (message == null && value == null && !body.isEmpty()) {
            message = body;
        }
        Kind kind = "Callgate.Cancelled".equals(type) ? Kind.CANCELLED : Kind.FUNCTION;
        Failure failure = new Failure(kind, message == null ? "the function failed and does not say why" : message);
        failure.handled = "Handled".equals(header);
        failure.remoteType = type;
        failure.remoteMessage = message;
        failure.stack = Json.lines(members.has("trace") ? members.get("trace") : members.get("stackTrace"));
        return failure;
    }
}
