package import NIOCore
internal import SMTP

/// Hands mail to servers, and keeps a connection for a while when it is done: a burst of mails to one server with one login goes
/// through few of them.
///
/// A connection carries one message at a time. One that the server closed while it was kept costs nothing but a new one.
package actor MailSender: MailTransport {
    private struct Kept {
        var connection: SMTPConnection
        var messages: Int
        /// Says goodbye when nobody has taken the connection in time.
        var closing: Task<Void, Never>
        var id: Int
    }

    private let options: MailOptions
    private let eventLoopGroup: any EventLoopGroup
    private let clock: any Clock<Duration>
    private let tlsContexts = TLSContexts()
    private var kept: [MailAccess: [Kept]] = [:]
    private var nextID = 0
    private var isShutDown = false
    private var localName: Task<String, Never>?

    package init(
        options: MailOptions = MailOptions(),
        eventLoopGroup: any EventLoopGroup,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.options = options
        self.eventLoopGroup = eventLoopGroup
        self.clock = clock
    }

    package func send(_ message: MailMessage, via access: MailAccess) async throws(MailFailure) -> MailReceipt {
        guard !isShutDown else { throw MailFailure(.transient, "mail is no longer sent: shutting down") }
        do throws(SMTPError) {
            return try await deliver(message, access)
        } catch {
            throw MailFailure(error, message, at: access.server)
        }
    }

    /// Says goodbye to all servers. Messages in hand are finished.
    package func shutdown() async {
        isShutDown = true
        let all = kept.values.joined()
        kept = [:]
        for connection in all { connection.closing.cancel() }
        await withDiscardingTaskGroup { group in
            for connection in all { group.addTask { await connection.connection.quit() } }
        }
    }

    // MARK: One message

    private func deliver(_ message: MailMessage, _ access: MailAccess) async throws(SMTPError) -> MailReceipt {
        let envelope = SMTPEnvelope(
            sender: message.sender,
            recipients: message.recipients.map(\.address),
            content: message.content
        )
        if let (connection, messages) = take(access) {
            do throws(SMTPError) {
                return receipt(try await attempt(envelope, connection, messages, access), message)
            } catch  where error.isOfKeptConnection {
                // The server had had enough of that connection; nothing of this message was said yet.
            }
        }
        let connection = try await SMTPConnection.open(
            access.server,
            credentials: access.credentials,
            options: await smtpOptions(access)
        )
        return receipt(try await attempt(envelope, connection, 0, access), message)
    }

    private func attempt(
        _ envelope: SMTPEnvelope,
        _ connection: SMTPConnection,
        _ messages: Int,
        _ access: MailAccess
    ) async throws(SMTPError) -> SMTPDelivery {
        do throws(SMTPError) {
            let delivery = try await connection.send(envelope)
            await giveBack(connection, messages + 1, access)
            return delivery
        } catch {
            await giveBack(connection, messages + 1, access)
            throw error
        }
    }

    private func receipt(_ delivery: SMTPDelivery, _ message: MailMessage) -> MailReceipt {
        MailReceipt(
            code: delivery.reply.code,
            reply: delivery.reply.text,
            refused: message.unusable + delivery.refusals.map { RefusedRecipient($0, message) }
        )
    }

    private func smtpOptions(_ access: MailAccess) async -> SMTPOptions {
        let name: String
        if let configured = options.localName {
            name = configured
        } else {
            let search = localName ?? Task { await LocalName.find() }
            localName = search
            name = await search.value
        }
        return SMTPOptions(
            localName: name,
            timeout: access.timeout,
            clock: clock,
            eventLoopGroup: eventLoopGroup,
            tlsContexts: tlsContexts
        )
    }

    // MARK: Connections

    private func take(_ access: MailAccess) -> (SMTPConnection, messages: Int)? {
        while let last = kept[access]?.popLast() {
            last.closing.cancel()
            if last.connection.isOpen { return (last.connection, last.messages) }
        }
        kept[access] = nil
        return nil
    }

    private func giveBack(_ connection: SMTPConnection, _ messages: Int, _ access: MailAccess) async {
        guard await connection.isUsable, connection.isOpen, !isShutDown, messages < options.messagesPerConnection else {
            return await connection.quit()
        }
        nextID += 1
        let (id, clock, idleTime) = (nextID, clock, options.idleTime)
        let closing = Task {
            guard (try? await clock.sleep(for: idleTime)) != nil else { return }
            await self.letGo(id, access)
        }
        kept[access, default: []].append(
            Kept(connection: connection, messages: messages, closing: closing, id: id)
        )
    }

    private func letGo(_ id: Int, _ access: MailAccess) async {
        guard let index = kept[access]?.firstIndex(where: { $0.id == id }),
            let connection = kept[access]?.remove(at: index).connection
        else { return }
        if kept[access]?.isEmpty == true { kept[access] = nil }
        await connection.quit()
    }
}

extension SMTPError {
    /// Whether a connection that was kept was no longer good when the next message began.
    fileprivate var isOfKeptConnection: Bool {
        guard step == .sender else { return false }
        return code == .closed || reply?.code == 421
    }
}
