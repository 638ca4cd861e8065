/// Why a mail was not sent, and what that means for it. Holds no secrets.
public struct MailFailure: Error, Sendable, Hashable {
    /// What may be done with the mail.
    public enum Kind: String, Sendable, Hashable {
        /// It may go later: no connection, a time limit, a reply of the 400s.
        case transient
        /// It will not go as it is: a reply of the 500s, a refused login, a job that makes no mail.
        case permanent
        /// The server has it all and did not say whether it took it. Sending it again may deliver it twice.
        case unconfirmed
    }

    public var kind: Kind
    /// What happened, in words for an operator, with the step and the server's answer.
    public var reason: String
    /// The code of the SMTP reply, such as 550, if the server gave one.
    public var code: Int?
    /// The text of the SMTP reply as one printable line.
    public var reply: String?
    /// The recipients that were refused, if all were.
    public var refused: [RefusedRecipient]

    public init(
        _ kind: Kind,
        _ reason: String,
        code: Int? = nil,
        reply: String? = nil,
        refused: [RefusedRecipient] = []
    ) {
        self.kind = kind
        self.reason = reason
        self.code = code
        self.reply = reply
        self.refused = refused
    }

    /// A job that cannot become a mail.
    static func permanent(_ reason: String) -> MailFailure { MailFailure(.permanent, reason) }
}

extension MailFailure: CustomStringConvertible {
    public var description: String { "\(kind.rawValue): \(reason)" }
}

/// A recipient who does not get a mail.
public struct RefusedRecipient: Sendable, Hashable, CustomStringConvertible {
    /// As the job names it.
    public var recipient: String
    /// The code of the SMTP reply; 553 when the server was never asked, because it is not an address.
    public var code: Int
    /// The text of the reply as one printable line.
    public var reply: String

    public init(recipient: String, code: Int, reply: String) {
        self.recipient = recipient
        self.code = code
        self.reply = reply
    }

    /// Whether another attempt may succeed: a code of the 400s.
    public var isTransient: Bool { (400...499).contains(code) }

    public var description: String { "\(recipient): \(code) \(reply)" }
}

/// What became of a mail that the server took.
public struct MailReceipt: Sendable, Hashable {
    /// The code of the reply to the final dot.
    public var code: Int
    /// The text of that reply as one printable line; it often names the server's queue entry.
    public var reply: String
    /// The recipients that do not get it.
    public var refused: [RefusedRecipient]
    /// What an administrator should know of the mail, though it went.
    public var remark: String?

    public init(code: Int, reply: String, refused: [RefusedRecipient] = []) {
        self.code = code
        self.reply = reply
        self.refused = refused
    }
}
