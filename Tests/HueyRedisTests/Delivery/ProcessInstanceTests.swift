import Foundation
import Testing

@testable import HueyRedis

@Suite("Whether another process of this machine is alive")
struct ProcessInstanceTests {
    private func process(
        boot: String = ProcessInstance.current.boot,
        namespace: String = ProcessInstance.current.namespace,
        pid: Int32 = ProcessInstance.current.pid,
        start: String = ProcessInstance.current.start
    ) -> ProcessInstance { ProcessInstance(boot: boot, namespace: namespace, pid: pid, start: start) }

    @Test("this one is")
    func own() { #expect(!ProcessInstance.current.hasEnded) }

    @Test("a heartbeat carries it there and back")
    func words() {
        let session = Session(index: 0)
        #expect(Session.process(of: session.heartbeat(17)) == ProcessInstance.current)
        #expect(Session.process(of: "17") == nil)
        #expect(Session.process(of: "17 a b c d") == nil)
        #expect(Session.process(of: "") == nil)
        let bare = process(boot: "", namespace: "", start: "")
        #expect(ProcessInstance(words: bare.words.map { $0[...] }) == bare)
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
            let start = try #require(ProcessInstance.startTime(of: pid))
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
