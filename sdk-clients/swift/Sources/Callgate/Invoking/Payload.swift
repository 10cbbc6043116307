import Foundation

/// Values as JSON, and JSON as values. Dates are ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes
/// them; `Data` is base64.
package enum Payload {
    /// The body that is sent. `Nothing` is no body.
    package static func encode<Input: Encodable>(_ input: Input) throws -> Data {
        if input is Nothing { return Data() }
        let encoder = JSONEncoder()
        // Equal values are equal bytes: the gateway compares the payloads of two calls with one key.
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamps.text(date))
        }
        do { return try encoder.encode(input) } catch {
            throw CallgateError.invalidArgument("\(Input.self) is no JSON: \(error)")
        }
    }

    /// The function's answer as the app wants it; no body is null.
    package static func decode<Output: Decodable>(_ type: Output.Type, from body: Data) throws -> Output {
        if let nothing = Nothing() as? Output { return nothing }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = Timestamps.date(text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 date")
            }
            return date
        }
        do {
            return try decoder.decode(type, from: body.isEmpty ? Data("null".utf8) : body)
        } catch {
            throw CallgateError.unexpectedAnswer("it is no \(type): \(Self.reason(error))")
        }
    }

    /// Where and why, without the value that was found there.
    private static func reason(_ error: Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
            return path.isEmpty ? "at its root" : "at \(path)"
        }
        guard let error = error as? DecodingError else { return "unreadable" }
        switch error {
        case .typeMismatch(let wanted, let context): return "\(place(context)) there is no \(wanted)"
        case .valueNotFound(let wanted, let context): return "\(place(context)) null stands for \(wanted)"
        case .keyNotFound(let key, let context): return "\(place(context)) \(key.stringValue) is missing"
        case .dataCorrupted(let context): return "\(place(context)) it is malformed"
        @unknown default: return "unreadable"
        }
    }
}

package enum Timestamps {
    package static func text(_ date: Date) -> String {
        formatter(fractions: true).string(from: date)
    }

    package static func date(_ text: String) -> Date? {
        formatter(fractions: true).date(from: text) ?? formatter(fractions: false).date(from: text)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the form of RFC 9110 that servers send.
    package static func ofHTTP(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text)
    }

    private static func formatter(fractions: Bool) -> ISO8601DateFormatter {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = fractions ? [.withInternetDateTime, .withFractionalSeconds] : [.withInternetDateTime]
        return formatter
    }
}
