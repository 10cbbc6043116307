import Foundation

/// What an answer means: the function's payload, or an error and what may help against it.
package enum Verdict: Sendable, Equatable {
    case payload(Data)
    case failure(CallgateError, Remedy)

    package enum Remedy: Sendable, Equatable {
        case none
        /// Another attempt, not before so many seconds.
        case retry(after: TimeInterval)
        /// New credentials, once.
        case newCredentials
        /// The server's time, once.
        case clock
        /// The same body uncompressed, once.
        case plainBody
    }

    /// As much of an error's body is read.
    private static let errorBytesMax = 64 * 1024

    /// Reads an answer of the gateway, or of what stands in its place, to a request whose body was compressed or not.
    package init(_ response: HTTPResponse, isCompressed: Bool = false) {
        if response.requestID == nil, let foreign = Self.ofStranger(response) {
            self = foreign
        } else if (200..<300).contains(response.status) {
            self = Self.ofFunction(response)
        } else {
            self = Self.ofRefusal(response, isCompressed: isCompressed)
        }
    }

    /// Every answer of the gateway has a request id. A captive portal's has none: the gateway was not reached. A proxy's 5xx
    /// is the gateway's trouble.
    private static func ofStranger(_ response: HTTPResponse) -> Verdict? {
        guard response.status < 500 else { return nil }
        let message = "HTTP \(response.status) from something that is not the gateway"
        return .failure(.offline(Refusal(status: response.status, message: message)), .retry(after: 0))
    }

    private static func ofFunction(_ response: HTTPResponse) -> Verdict {
        guard let kind = response.headers["x-amz-function-error"] else { return .payload(response.body) }
        let failure = FunctionFailure(response.body, isHandled: kind == "Handled", requestID: response.requestID)
        return .failure(failure.type == "Callgate.Cancelled" ? .cancelled(failure) : .function(failure), .none)
    }

    private static func ofRefusal(_ response: HTTPResponse, isCompressed: Bool) -> Verdict {
        let body = response.body.prefix(errorBytesMax)
        let members = (try? JSONDecoder().decode([String: JSONValue].self, from: body)) ?? [:]
        func text(_ names: String...) -> String? {
            for name in names {
                if case .string(let text)? = members[name] { return text }
            }
            return nil
        }
        let code = (response.headers["x-amzn-errortype"] ?? text("__type", "code")).map(Self.bare)
        let after = response.headers["retry-after"].flatMap(Self.seconds)
        let refusal = Refusal(
            status: response.status, code: code,
            message: text("message", "Message", "errorMessage") ?? "HTTP \(response.status)",
            requestID: response.requestID, retryAfter: after
        )
        let later = Remedy.retry(after: after ?? 0)
        let throttle = Throttle(refusal: refusal, reason: text("Reason"), limit: response.headers["x-callgate-limit"])

        switch code {
        case "TooManyRequestsException", "ThrottlingException", "Throttling":
            return .failure(.throttled(throttle), later)
        case "ExpiredTokenException", "UnrecognizedClientException": return .failure(.authentication(refusal), .newCredentials)
        case "InvalidSignatureException": return .failure(.authentication(refusal), .clock)
        case "NotAuthorizedException", "MissingAuthenticationTokenException", "IncompleteSignatureException":
            return .failure(.authentication(refusal), .none)
        case "IdempotencyOutcomeUnknownException": return .failure(.outcomeUnknown(refusal), .none)
        // A gateway that does not know compressed bodies takes them for bad JSON.
        case "InvalidRequestContentException" where response.status == 400:
            return .failure(.invalidRequest(refusal), isCompressed ? .plainBody : .none)
        default: break
        }
        switch response.status {
        case 429: return .failure(.throttled(throttle), later)
        case 401: return .failure(.authentication(refusal), .none)
        case 403: return .failure(.denied(refusal), .none)
        case 404: return .failure(.notFound(refusal), .none)
        case 408: return .failure(.timedOut(refusal), .none)
        case 409: return .failure(.conflict(refusal), .none)
        case 415: return .failure(.invalidRequest(refusal), isCompressed ? .plainBody : .none)
        case 500...: return .failure(.service(refusal), later)
        default: return .failure(.invalidRequest(refusal), .none)
        }
    }

    /// `com.amazonaws.x#Name`, `Name:http://…` and `Name` are the same.
    private static func bare(_ code: String) -> String {
        let name = code.split(separator: "#").last.map(String.init) ?? code
        return name.split(separator: ":").first.map(String.init) ?? name
    }

    /// A whole number of seconds, of 1 to 10 digits; anything else is as if absent.
    private static func seconds(_ text: String) -> TimeInterval? {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy((48...57).contains) else { return nil }
        return TimeInterval(text)
    }
}

extension FunctionFailure {
    /// Reads the error that a function left as its payload, whatever it is.
    init(_ body: Data, isHandled: Bool, requestID: String?) {
        let value = try? JSONDecoder().decode(JSONValue.self, from: body)
        guard case .object(let members)? = value else {
            let text = String(decoding: body, as: UTF8.self)
            let message: String?
            if case .string(let string)? = value { message = string } else { message = text.isEmpty ? nil : text }
            self.init(type: nil, message: message, isHandled: isHandled, requestID: requestID)
            return
        }
        func text(_ name: String) -> String? {
            if case .string(let text)? = members[name] { return text }
            return nil
        }
        var stack: [String] = []
        if case .array(let frames)? = members["trace"] ?? members["stackTrace"] { stack = frames.map(Self.line) }
        self.init(
            type: text("errorType"), message: text("errorMessage"), stack: stack, isHandled: isHandled,
            requestID: requestID
        )
    }

    private static func line(_ frame: JSONValue) -> String {
        switch frame {
        case .string(let text): return text
        case .array(let parts): return parts.map(line).joined(separator: " ")
        case .integer(let number): return String(number)
        case .number(let number): return String(number)
        case .boolean(let value): return String(value)
        case .null: return ""
        case .object(let members):
            return members.sorted { $0.key < $1.key }.map { "\($0.key)=\(line($0.value))" }.joined(separator: " ")
        }
    }
}
