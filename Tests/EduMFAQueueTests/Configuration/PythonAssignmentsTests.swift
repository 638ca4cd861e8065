import Pickle
import TestSupport
import Testing

@testable import EduMFAQueue

/// Python ran the files of the fixture; whatever is read without running them must be what it found.
struct PythonAssignmentsTests {
    struct Case: Decodable, Sendable {
        var source: String
        /// Settings that depend on code.
        var computed: [String]
        /// The value of each setting as a pickle; nil for what cannot be pickled.
        var settings: [String: Base64Bytes?]
    }

    @Test("every literal has the value that Python gives it, and nothing else is taken for one")
    func settingsOfFiles() throws {
        let cases = try Fixture.load("edumfa-config.json", as: [Case].self)
        #expect(cases.count > 90)
        for testCase in cases {
            let read = PythonAssignments(source: Array(testCase.source.utf8))
            for (name, pickle) in testCase.settings {
                let binding = read.bindings[name]
                if testCase.computed.contains(name) {
                    if case .value? = binding { Issue.record("\(name) was read out of:\n\(testCase.source)") }
                    #expect(binding != nil || read.opaqueLine != nil, "\(name) was overlooked in:\n\(testCase.source)")
                } else if let bytes = pickle?.bytes {
                    let expected = try PickleValue(PickleDocument(bytes).root)
                    guard case .value(let value)? = binding else {
                        Issue.record("\(name) was not read out of:\n\(testCase.source)")
                        continue
                    }
                    #expect(value.repr == expected.repr, "in:\n\(testCase.source)")
                }
            }
        }
    }

    @Test(
        "a name that Python does not bind at the module's level is not bound",
        arguments: [
            "def f():\n    EDUMFA_A = 1\n", "class C:\n    EDUMFA_A = 1\n", "# EDUMFA_A = 1\n", "f(EDUMFA_A=1)\n",
        ]
    )
    func localNames(source: String) {
        let read = PythonAssignments(source: Array(source.utf8))
        if case .value? = read.bindings["EDUMFA_A"] { Issue.record("it was bound") }
    }

    @Test(
        "what cannot be read makes everything behind it unknown",
        arguments: [
            "EDUMFA_A = 'x\n", "EDUMFA_A = (1\n", "EDUMFA_A = ?\n", "from settings import *\n",
            "exec(open('x').read())\n",
        ]
    )
    func opaque(source: String) {
        #expect(PythonAssignments(source: Array("EDUMFA_B = 1\n\(source)".utf8)).opaqueLine == 2)
    }

    @Test("bytes that are no UTF-8 are not guessed at")
    func otherEncodings() {
        let read = PythonAssignments(source: Array("EDUMFA_A = 'x".utf8) + [0xE4, 0x27, 0x0A])
        #expect(read.bindings.isEmpty)
        #expect(read.opaqueLine == 1)
    }

    @Test("brackets nested without end do not overflow the stack")
    func deepNesting() {
        let source =
            "EDUMFA_A = " + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000) + "\n"
        let read = PythonAssignments(source: Array(source.utf8))
        #expect(read.bindings["EDUMFA_A"] == .expression(line: 1))
    }
}
