#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A message as it lies in the schedule: as it is, or, where huey's `ValkeyGlideStorage` wrote it, in base64.
enum ScheduleMember {
    /// The message of a member. No message of huey's serializers consists of base64's characters alone: a pickle ends with a full stop, a
    /// compressed one begins with bytes that are not ASCII, and a signed one has a colon. Other kinds than `valkeyGlide` take a member for
    /// base64 only where it stands for one of these, because another serializer may write any bytes.
    static func message(of member: [UInt8], _ kind: RedisStorageKind) -> [UInt8] {
        guard !member.isEmpty, member.count % 4 == 0, member.allSatisfy(isBase64),
            let message = Data(base64Encoded: Data(member)).map({ Array($0) }),
            kind == .valkeyGlide || isOfHuey(message)
        else { return member }
        return message
    }

    /// The member for a message.
    static func member(of message: [UInt8], _ kind: RedisStorageKind) -> [UInt8] {
        kind == .valkeyGlide ? Array(Data(message).base64EncodedData()) : message
    }

    private static func isOfHuey(_ message: [UInt8]) -> Bool {
        message.last == UInt8(ascii: ".") || message.starts(with: [0x1F, 0x8B]) || message.first == 0x78
            || message.contains(UInt8(ascii: ":"))
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
