import Huey
import Pickle
import SMTP
import Testing

@testable import EduMFAQueue

/// Every reader of what comes from outside takes time in proportion to its length. What was quadratic took minutes for these inputs, and a test that hangs meets its time limit.
@Suite("Readers take linear time", .timeLimit(.minutes(5)))
struct LinearTimeTests {
    @Test func parametersOfContentTypes() {
        let distinct = (0..<20_000).map { "; p\($0)*0*=us-ascii'en'x%41" }.joined()
        let same = (0..<20_000).map { "; boundary*\($0)=x" }.joined()
        for parameters in [distinct, same] {
            _ = ContentType("multipart/mixed" + parameters).settingBoundary("b")
        }
        #expect(ContentType("multipart/mixed; boundary*1=b; boundary*0=a").boundary == "ab")
        #expect(ContentType("multipart/mixed; boundary*0*=us-ascii''%41%zz; boundary*1=b").boundary == "A%zzb")
        #expect(ContentType("multipart/mixed; boündary*0=a").boundary == nil)
        #expect(ContentType("multipart/mixed; boundary**=a").boundary == nil)
    }

    @Test func linesThatBindNames() {
        let imports = "import a\(String(repeating: ", import a", count: 30_000))\n"
        _ = PythonAssignments(source: Array(imports.utf8))
        let read = PythonAssignments(source: Array("for A, B in C: del E\nimport F as G, H\n".utf8))
        #expect(Set(read.bindings.keys).isSuperset(of: ["A", "B", "E", "F", "G", "H"]))
        #expect(read.bindings["C"] == nil)
    }

    @Test func stringsSideBySide() {
        let strings =
            "A = ('x'" + String(repeating: " 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'", count: 50_000) + ")\n"
        _ = PythonAssignments(source: Array(strings.utf8))
        let bytes = PythonAssignments(source: Array("A = b'a' b'b'\nB = 'a' b'b'\n".utf8))
        #expect(bytes.bindings["A"] == .value(.bytes([0x61, 0x62])))
        #expect(bytes.bindings["B"] == .expression(line: 2))
    }

    @Test func addresses() {
        let texts = ["(", "\"", "a@", "<", ":", ",", "a.", "[", "\\"].map { String(repeating: $0, count: 60_000) }
        for text in texts { _ = AddressParser.address(in: text) }
        #expect(AddressParser.address(in: String(repeating: " ", count: 100_000) + "a@b.org") == "")
    }

    @Test func charactersOfOtherSets() throws {
        let text = PythonText(String(repeating: "日本", count: 100_000))
        for codec in ["iso-2022-jp", "euc-jp", "shift_jis"] {
            let bytes = try #require(TextCodec.encode(text, codec))
            #expect(TextCodec.decode(bytes, codec) == text)
        }
        #expect(TextCodec.encode(PythonText("é"), "iso-2022-jp") == nil)
    }
}
