import Foundation
import Testing

@testable import HueyRedis

@Suite("Whether another process of this machine is alive")
struct ProcessLifeTests {
    private func process(
        boot: String = ProcessLife.current.boot,
        namespace: String = ProcessLife.current.namespace,
        pid: Int32 = ProcessLife.current.pid,
        start: String = ProcessLife.current.start
    ) -> ProcessLife { ProcessLife(boot: boot, namespace: namespace, pid: pid, start: start) }

    @Test("this one is")
    func own() { #expect(!ProcessLife.current.hasEnded) }

    @Test("a heartbeat carries it there and back")
    func words() {
        let life = Life(index: 0)
        #expect(Life.process(of: life.beat(17)) == ProcessLife.current)
        #expect(Life.process(of: "17") == nil)
        #expect(Life.process(of: "17 a b c d") == nil)
        #expect(Life.process(of: "") == nil)
        let bare = process(boot: "", namespace: "", start: "")
        #expect(ProcessLife(words: bare.words.map { $0[...] }) == bare)
    }

    #if os(Linux)
        @Test("one that has exited is not, and neither is one whose number went to another")
        func ended() async throws {
            let child = Process()
            child.executableURL = URL(fileURLWithPath: "/bin/sleep")
            child.arguments = ["600"]
            let (exits, exit) = AsyncStream<Void>.makeStream()
            child.terminationHandler = { _ in exit.finish() }
            try child.run()
            let pid = child.processIdentifier
            let start = try #require(ProcessLife.startTime(of: pid))
            #expect(!process(pid: pid, start: start).hasEnded)
            #expect(process(pid: pid, start: "1").hasEnded)
            // SIGTERM may be blocked here, and is in a child then.
            kill(pid, SIGKILL)
            for await _ in exits {}
            #expect(process(pid: pid, start: start).hasEnded)
        }

        @Test("of another machine, boot or container nothing is known")
        func elsewhere() {
            #expect(process(start: "1").hasEnded)
            #expect(!process(boot: "another", start: "1").hasEnded)
            #expect(!process(namespace: "pid:[1]", start: "1").hasEnded)
            #expect(!process(boot: "", start: "1").hasEnded)
        }
    #endif
}
