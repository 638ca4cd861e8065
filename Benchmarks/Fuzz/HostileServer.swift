import NIOCore
import NIOPosix
import Redis
import Synchronization

/// A server that answers a client's greeting as Redis does, and the first command with bytes of our choice.
final class HostileServer: Sendable {
    private let channel: any Channel

    private let handlers = Handlers()

    init() async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [handlers] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(handlers))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Lets a client of ours ask for something, and gives it these bytes.
    func ask(answering bytes: [UInt8]) async {
        handlers.answer.withLock { $0 = bytes }
        guard let port = channel.localAddress?.port,
            let configuration = try? RedisConfiguration(url: "redis://127.0.0.1:\(port)?socket_timeout=0.2")
        else { return }
        let client = RedisClient(configuration)
        if let reply = try? await client.command("GET", "x") {
            _ = reply.string
            _ = reply.elements?.compactMap(\.bytes).count
            _ = reply.integer
        }
        await client.shutdown()
    }

    func close() async { try? await channel.close() }

    /// What the next client is told.
    private final class Handlers: Sendable {
        let answer = Mutex<[UInt8]>([])
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let handlers: Handlers
        private var isGreeted = false

        init(_ handlers: Handlers) { self.handlers = handlers }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard isGreeted else {
                isGreeted = true
                return write(Array(":1\r\n".utf8), context)
            }
            write(handlers.answer.withLock { $0 }, context)
            context.close(promise: nil)
        }

        private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}

/// Makes replies of a server, broken in every way.
enum ReplyMaker {
    static func reply(_ random: inout FuzzRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...random.below(6) { part(&bytes, &random) }
        return bytes
    }

    private static func part(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
        let number = random.pick([
            "0", "1", "-1", "-2", "3", "1000000", "536870912", "9223372036854775807", "-9223372036854775808", "x", "",
            "1e5",
        ])
        switch random.below(8) {
        case 0: bytes += Array("*\(number)\r\n".utf8)
        case 1: bytes += Array("$\(number)\r\n".utf8)
        case 2: bytes += Array("$3\r\nabc\r\n".utf8)
        case 3: bytes += Array(":\(number)\r\n".utf8)
        case 4: bytes += Array("-ERR \(random.pick(ValueMaker.texts))\r\n".utf8)
        case 5: bytes += Array(repeating: Array("*1\r\n".utf8), count: random.pick([1, 8, 100, 10_000])).flatMap { $0 }
        case 6: bytes += Array("+OK\r\n".utf8)
        default: bytes += random.bytes(random.below(20))
        }
    }
}
