import Foundation

/// Signature Version 4 in the header `Authorization`.
package struct Signer: Sendable {
    package let region: String
    package let service: String

    package init(region: String, service: String) {
        (self.region, self.service) = (region, service)
    }

    /// Adds the date, the session's token and the signature. `date` is the server's time, as far as it is known.
    package func sign(_ request: HTTPRequest, with credentials: Credentials, at date: Date) -> HTTPRequest {
        var signed = request
        let time = Self.timestamp(date)
        signed.headers["host"] = request.endpoint.host
        signed.headers["x-amz-date"] = time
        if !credentials.sessionToken.isEmpty { signed.headers["x-amz-security-token"] = credentials.sessionToken }

        let names = signed.headers.keys.filter(Self.isSigned).sorted()
        let list = names.joined(separator: ";")
        let canonical = canonicalRequest(signed, signing: names)
        let day = String(time.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Digest.hex(Digest.sha256(Data(canonical.utf8))))"
        let key = [day, region, service, "aws4_request"].reduce(Array("AWS4\(credentials.secretKey)".utf8)) { key, part in
            Digest.hmacSHA256(Data(part.utf8), key: key)
        }
        let signature = Digest.hex(Digest.hmacSHA256(Data(toSign.utf8), key: key))
        signed.headers["authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(list), Signature=\(signature)"
        return signed
    }

    package func canonicalRequest(_ request: HTTPRequest, signing names: [String]) -> String {
        let headers = names.map { "\($0):\(Self.folded(request.headers[$0] ?? ""))\n" }.joined()
        return [
            request.method,
            // The path as it is sent, encoded once more, as for every service but S3.
            PercentEncoding.encode(request.path, keepingSlashes: true),
            request.encodedQuery,
            headers,
            names.joined(separator: ";"),
            Digest.hex(Digest.sha256(request.body)),
        ].joined(separator: "\n")
    }

    /// Everything that the SDK sets but the user agent, which may change on the way.
    private static func isSigned(_ name: String) -> Bool {
        name != "user-agent" && name != "authorization"
    }

    private static func folded(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    /// `20150830T123600Z`.
    package static func timestamp(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        func padded(_ value: Int?, _ width: Int) -> String {
            let digits = String(value ?? 0)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(parts.year, 4) + padded(parts.month, 2) + padded(parts.day, 2) + "T" + padded(parts.hour, 2)
            + padded(parts.minute, 2) + padded(parts.second, 2) + "Z"
    }
}
