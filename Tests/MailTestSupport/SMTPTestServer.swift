import NIOCore
import NIOPosix
import NIOSSL
public import TestSupport

/// An SMTP server that does as a test says, and keeps what it was told.
public final class SMTPTestServer: Sendable {
    /// What a client does.
    public enum Event: Sendable, Equatable {
        case connected
        /// A line, without its ending.
        case command(String)
        /// A message as it was on the wire, with the final dot.
        case message([UInt8])

        /// Its command, in capitals; `CONNECT` and `.` for the others.
        public var verb: String {
            switch self {
            case .connected: "CONNECT"
            case .command(let line): line.prefix { $0 != " " && $0 != ":" }.uppercased()
            case .message: "."
            }
        }
    }

    public enum Reaction: Sendable {
        case say(String)
        case silence
        case close
        case sayAndClose(String)
        /// Says it, and begins TLS.
        case beginTLS(String)
    }

    /// What a test wants otherwise; `nil` for what a friendly server does.
    public typealias Script = @Sendable (Event) -> Reaction?

    public let port: Int
    /// All that clients did, in order.
    public let events: Recorder<Event>
    /// One element for each connection that ended.
    public let endings: Recorder<Void>
    private let channel: any Channel

    /// The lines of all commands, and `.` for each message.
    public var transcript: [String] {
        events.all.compactMap { event in
            switch event {
            case .connected: nil
            case .command(let line): line
            case .message: "."
            }
        }
    }

    public var messages: [[UInt8]] {
        events.all.compactMap { if case .message(let bytes) = $0 { bytes } else { nil } }
    }

    public var connections: Int { events.all.filter { $0 == .connected }.count }

    public init(
        features: [String] = ["SIZE 1000000", "8BITMIME"],
        implicitTLS: Bool = false,
        certificate: (chain: String, key: String)? = nil,
        speaksOnlyOldTLS: Bool = false,
        script: @escaping Script = { _ in nil }
    ) async throws {
        let events = Recorder<Event>()
        let endings = Recorder<Void>()
        var configuration = try TestCertificate.serverConfiguration(certificate)
        if speaksOnlyOldTLS {
            configuration.minimumTLSVersion = .tlsv1
            configuration.maximumTLSVersion = .tlsv11
        }
        let tls = try NIOSSLContext(configuration: configuration)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if implicitTLS { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.addHandler(Handler(events, endings, features, tls, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.events = events
        self.endings = endings
        port = channel.localAddress?.port ?? 0
    }

    /// Returns once a client has done this.
    public func waits(for verb: String) async {
        var index = 0
        while true {
            await events.wait(for: index + 1)
            if events.all[index].verb == verb { return }
            index += 1
        }
    }

    public func close() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let events: Recorder<Event>
        private let endings: Recorder<Void>
        private let features: [String]
        private let tls: NIOSSLContext
        private let script: Script
        private var buffer: [UInt8] = []
        private var message: [UInt8]?
        private var challenges = 0

        init(
            _ events: Recorder<Event>,
            _ endings: Recorder<Void>,
            _ features: [String],
            _ tls: NIOSSLContext,
            _ script: @escaping Script
        ) {
            self.events = events
            self.endings = endings
            self.features = features
            self.tls = tls
            self.script = script
        }

        func channelActive(context: ChannelHandlerContext) { happened(.connected, context) }

        func channelInactive(context: ChannelHandlerContext) { endings.append(()) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var rest = unwrapInboundIn(data).readableBytesView[...]
            while let end = rest.firstIndex(of: 0x0A) {
                buffer += rest[...end]
                rest = rest[(end + 1)...]
                let line = buffer
                buffer = []
                take(line, context)
            }
            buffer += rest
        }

        private func take(_ line: [UInt8], _ context: ChannelHandlerContext) {
            if message == nil {
                return happened(.command(String(decoding: line.dropLast(2), as: UTF8.self)), context)
            }
            message? += line
            guard line == Array(".\r\n".utf8) else { return }
            let whole = message ?? []
            message = nil
            happened(.message(whole), context)
        }

        private func happened(_ event: Event, _ context: ChannelHandlerContext) {
            events.append(event)
            switch script(event) ?? friendly(event) {
            case .say(let text): say(text, context)
            case .silence: break
            case .close: context.close(promise: nil)
            case .sayAndClose(let text):
                say(text, context)
                context.close(promise: nil)
            case .beginTLS(let text):
                say(text, context)
                let handler = NIOSSLServerHandler(context: tls)
                try? context.pipeline.syncOperations.addHandler(handler, position: .first)
            }
        }

        private func friendly(_ event: Event) -> Reaction {
            switch event.verb {
            case "CONNECT": return .say("220 test server")
            case "EHLO":
                let lines = ["greetings"] + features
                return .say(
                    lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)" }.joined(separator: "\r\n")
                )
            case "STARTTLS": return .beginTLS("220 go on")
            case "DATA":
                message = []
                return .say("354 go on")
            case "QUIT": return .sayAndClose("221 bye")
            case "AUTH": return .say("235 welcome")
            case ".": return .say("250 queued")
            default: return .say("250 fine")
            }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
        }
    }
}
