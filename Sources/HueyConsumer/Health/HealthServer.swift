import Huey
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Answers on a port of the loopback interface whether a consumer moves: 200 while it does, 503 else.
struct HealthServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    private enum Limit {
        /// Who does not send a request within this time is cut off.
        static let patience = TimeAmount.seconds(5)
        static let connections = 64
    }

    /// - Parameter stuck: the names of what is stuck.
    /// - Throws: ``HueyError`` `.invalidConfiguration` when the port cannot be had.
    init(port: Int, stuck: @escaping @Sendable () -> [String]) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connections = Connections()
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard connections.admit(channel, atMost: Limit.connections) else {
                            return channel.close(promise: nil)
                        }
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                        try channel.pipeline.syncOperations.addHandler(HealthHandler(stuck: stuck))
                        channel.eventLoop.scheduleTask(in: Limit.patience) { channel.close(promise: nil) }
                    }
                }
                .bind(host: "127.0.0.1", port: port).get()
        } catch {
            try? await group.shutdownGracefully()
            throw HueyError(.invalidConfiguration, "the health port \(port) cannot be opened: \(error)")
        }
        self.group = group
    }

    /// The port.
    var port: Int? { channel.localAddress?.port }

    func close() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }
}

/// How many connections there are.
private final class Connections: Sendable {
    private let count = Atomic(0)

    /// - Returns: whether there is room for another, which is counted until it is closed.
    func admit(_ channel: any Channel, atMost limit: Int) -> Bool {
        let isAdmitted = count.add(1, ordering: .relaxed).newValue <= limit
        channel.closeFuture.whenComplete { _ in self.count.subtract(1, ordering: .relaxed) }
        return isAdmitted
    }
}

/// One connection: one answer, whatever is asked.
private final class HealthHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let stuck: @Sendable () -> [String]

    init(stuck: @escaping @Sendable () -> [String]) { self.stuck = stuck }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let request) = unwrapInboundIn(data) else { return }
        let stuck = stuck()
        let text = stuck.isEmpty ? "ok\n" : "stuck: \(stuck.joined(separator: ", "))\n"
        let headers: HTTPHeaders = [
            "content-type": "text/plain; charset=utf-8", "content-length": "\(text.utf8.count)",
            "cache-control": "no-store", "connection": "close",
        ]
        let head = HTTPResponseHead(
            version: .http1_1,
            status: stuck.isEmpty ? .ok : .serviceUnavailable,
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
