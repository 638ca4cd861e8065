package import NIOCore

/// Notes when bytes last moved on a connection, in either direction, so that a time limit can be one on silence and not on the whole of a
/// transfer. It stands before TLS, which shows nothing of a record until all of it is there.
///
/// Not Sendable: it lives on its channel's event loop.
package final class ProgressMeter: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Larger writes go out in slices of this size, so that their progress shows.
    private static let sliceSize = 64 * 1024

    /// When bytes last moved, or when the meter was made.
    package private(set) var lastProgress = NIODeadline.now()

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastProgress = .now()
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = unwrapOutboundIn(data)
        guard buffer.readableBytes > Self.sliceSize else { return context.write(data, promise: promise) }
        while buffer.readableBytes > Self.sliceSize, let slice = buffer.readSlice(length: Self.sliceSize) {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenSuccess { [self] in lastProgress = .now() }
            context.write(wrapOutboundOut(slice), promise: written)
        }
        context.write(wrapOutboundOut(buffer), promise: promise)
    }
}
