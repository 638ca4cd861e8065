internal import NIOCore
internal import NIOSSL

/// The end of a connection's pipeline: cuts what arrives into replies and hands each to whoever waits.
///
/// Not Sendable: it lives on its channel's event loop.
final class SMTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// More replies than this that nobody asked for are an attack.
    private static let mostEarly = 8

    private var reader = ReplyReader()
    private var early: [SMTPReply] = []
    private var waiter: EventLoopPromise<SMTPReply>?
    private var failure: SMTPError?
    private var context: ChannelHandlerContext?

    /// The next reply: one that has come already, or the next to come.
    func nextReply(_ eventLoop: any EventLoop) -> EventLoopFuture<SMTPReply> {
        if !early.isEmpty { return eventLoop.makeSucceededFuture(early.removeFirst()) }
        if let failure { return eventLoop.makeFailedFuture(failure) }
        let promise = eventLoop.makePromise(of: SMTPReply.self)
        waiter?.fail(SMTPError(.cancelled, at: .connect, "somebody else waits for the reply"))
        waiter = promise
        return promise.futureResult
    }

    /// Writes a command, and returns its reply. A reply that came before its command belongs to none.
    func exchange(_ command: ByteBuffer, _ eventLoop: any EventLoop) -> EventLoopFuture<SMTPReply> {
        if let reply = early.first {
            fail(SMTPError(.closed, at: .connect, reply: reply, "the server spoke unasked"))
        }
        if let failure { return eventLoop.makeFailedFuture(failure) }
        let reply = nextReply(eventLoop)
        context?.writeAndFlush(wrapOutboundOut(command), promise: nil)
        return reply
    }

    /// Whether the server has said something that was not waited for, or is about to.
    var hasEarlyReply: Bool { !early.isEmpty || !reader.isIdle }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(SMTPError(.closed, at: .connect, "the connection was closed"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        var bytes = Array(unwrapInboundIn(data).readableBytesView)[...]
        do throws(SMTPError) {
            while !bytes.isEmpty {
                guard let reply = try reader.read(&bytes) else { continue }
                deliver(reply)
            }
        } catch {
            fail(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(SMTPError(.closed, at: .connect, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(SMTPError(transport: error)) }

    private func deliver(_ reply: SMTPReply) {
        if let waiter {
            self.waiter = nil
            waiter.succeed(reply)
        } else if early.count < Self.mostEarly {
            early.append(reply)
        } else {
            fail(SMTPError(.invalidReply, at: .connect, "the server speaks unasked"))
        }
    }

    private func fail(_ error: SMTPError) {
        end(error)
        context?.close(promise: nil)
    }

    private func end(_ error: SMTPError) {
        failure = failure ?? error
        if let waiter {
            self.waiter = nil
            waiter.fail(failure ?? error)
        }
    }
}
