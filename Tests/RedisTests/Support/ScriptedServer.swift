import NIOCore
import NIOPosix

/// A server that answers the handshake, and everything after it as a test says.
final class ScriptedServer: Sendable {
    /// What to do with a connection when something has arrived.
    indirect enum Reaction: Sendable {
        case silence
        /// As a slow connection brings it: so many bytes at a time, with pauses.
        case trickle(String, pieceSize: Int, pause: TimeAmount)
        /// Depends on what has arrived.
        case answer(@Sendable (String) -> Reaction)
        case send(String)
        /// Each part is a write of its own.
        case sendParts([String])
        case close
        case sendAndClose(String)
    }

    let port: Int
    private let channel: any Channel

    /// `handshake` answers the first bytes of each connection, `reaction` each later arrival.
    init(handshake: Reaction = .send(":1\r\n"), reaction: Reaction) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = Handler(handshake: handshake, reaction: reaction)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private var next: Reaction
        private let reaction: Reaction

        init(handshake: Reaction, reaction: Reaction) {
            next = handshake
            self.reaction = reaction
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            react(next, to: String(buffer: unwrapInboundIn(data)), context)
            next = reaction
        }

        private func react(_ reaction: Reaction, to text: String, _ context: ChannelHandlerContext) {
            switch reaction {
            case .silence: break
            case .answer(let choose): react(choose(text), to: text, context)
            case .trickle(let text, let size, let pause): trickle(text[...], size, pause, context)
            case .send(let text): write(text, context)
            case .sendParts(let parts): for part in parts { write(part, context) }
            case .close: context.close(promise: nil)
            case .sendAndClose(let text):
                write(text, context)
                context.close(promise: nil)
            }
        }

        private func trickle(_ text: Substring, _ size: Int, _ pause: TimeAmount, _ context: ChannelHandlerContext) {
            guard !text.isEmpty, context.channel.isActive else { return }
            write(String(text.prefix(size)), context)
            context.eventLoop.assumeIsolated().scheduleTask(in: pause) { [self] in
                trickle(text.dropFirst(size), size, pause, context)
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}
