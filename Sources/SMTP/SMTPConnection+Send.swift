internal import NIOCore
internal import Transport

/// Whom a message is from and for, and the message.
package struct SMTPEnvelope: Sendable, Hashable {
    /// The address of MAIL FROM, without brackets; empty for none.
    package var sender: String
    /// The addresses of RCPT TO, without brackets.
    package var recipients: [String]
    /// Headers and body. Line endings may be any.
    package var content: [UInt8]

    package init(sender: String, recipients: [String], content: [UInt8]) {
        self.sender = sender
        self.recipients = recipients
        self.content = content
    }
}

/// What became of a message that the server took.
package struct SMTPDelivery: Sendable, Hashable {
    package var reply: SMTPReply
    /// Who does not get it.
    package var refusals: [SMTPRefusal]
}

extension SMTPConnection {
    /// Sends one message. Mirrors `smtplib.SMTP.sendmail`: recipients that are refused do not keep it from the others.
    ///
    /// - Throws: with ``SMTPError/mayBeDelivered`` when the message was handed over and no valid reply came.
    package func send(_ envelope: SMTPEnvelope) async throws(SMTPError) -> SMTPDelivery {
        let content = LineEndings.normalised(envelope.content)
        do throws(SMTPError) {
            var from = "MAIL FROM:<\(envelope.sender)>"
            if features["size"] != nil { from += " SIZE=\(content.count)" }
            let reply = try await command(from, at: .sender)
            guard reply.code == 250 else { throw .refused(at: .sender, reply) }
            let refusals = try await name(envelope.recipients)
            return SMTPDelivery(reply: try await transfer(content), refusals: refusals)
        } catch {
            if isUsable { await reset() }
            throw error
        }
    }

    private func name(_ recipients: [String]) async throws(SMTPError) -> [SMTPRefusal] {
        var refusals: [SMTPRefusal] = []
        for (index, recipient) in recipients.enumerated() {
            let reply = try await command("RCPT TO:<\(recipient)>", at: .recipient)
            guard reply.code != 250, reply.code != 251 else { continue }
            guard reply.code != 421, (400...599).contains(reply.code) else { throw .refused(at: .recipient, reply) }
            refusals.append(SMTPRefusal(index: index, reply: reply))
        }
        if refusals.count == recipients.count {
            // A later attempt is worth it when it may be otherwise for one of them.
            let telling = refusals.first { $0.reply.isTransient } ?? refusals.first
            var error = SMTPError(
                .recipientsRefused,
                at: .recipient,
                reply: telling?.reply,
                recipients.count == 1 ? "the server refused the recipient" : "the server refused all recipients"
            )
            error.refusals = refusals
            throw error
        }
        return refusals
    }

    private func transfer(_ content: [UInt8]) async throws(SMTPError) -> SMTPReply {
        let go = try await command("DATA", at: .data)
        guard go.code == 354 else { throw .refused(at: .data, go) }
        var pieces = ContentPieces(content)
        let start = ContinuousClock.now
        var writtenCount = 0
        while let (piece, isLast) = pieces.next(channel.allocator) {
            writtenCount += piece.readableBytes
            do throws(SMTPError) {
                if start.duration(to: .now) > Self.longestTransfer(options.timeout, content.count) {
                    close()
                    throw SMTPError(.timeout, at: .content, "the server takes the message too slowly")
                }
                try await write(piece, at: .content, within: silence(after: writtenCount))
            } catch {
                var error = error
                if isLast, error.mayBeDelivered { throw error }
                // The final dot has not been sent. A server that breaks off may have said why.
                error.mayBeDelivered = false
                throw await refusal(instead: error)
            }
        }
        let reply: SMTPReply
        do throws(SMTPError) {
            reply = try await nextReply(at: .finalDot, within: silence(after: writtenCount))
        } catch {
            var error = error
            error.mayBeDelivered = true
            throw error
        }
        if (200...299).contains(reply.code) { return reply }
        var error = SMTPError.refused(at: .finalDot, reply)
        if error.code == .invalidReply {
            close()
            error.mayBeDelivered = true
        }
        throw error
    }

    /// How long nothing may happen after so many bytes of a message.
    private func silence(after count: Int) -> Duration { options.timeout + TransferAllowance.time(forBytes: count) }

    /// Bytes a second: who takes a message more slowly than by a modem only holds the worker.
    private static let slowestRate = 4096

    /// How long the text of a message may take in all.
    private static func longestTransfer(_ timeout: Duration, _ count: Int) -> Duration {
        timeout * 2 + .seconds(count / slowestRate)
    }

    private func refusal(instead error: SMTPError) async -> SMTPError {
        guard error.code == .closed, let reply = try? await nextReply(at: .content), (400...599).contains(reply.code)
        else { return error }
        return .refused(at: .content, reply)
    }

    /// Undoes what a refused message has begun. A server that cannot do that is not used again.
    private func reset() async {
        let reply = try? await command("RSET", at: .reset)
        if reply?.code != 250 { close() }
    }
}
