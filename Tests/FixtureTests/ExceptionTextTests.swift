import Pickle
import TestSupport
import Testing

/// `Fixtures/exceptions.json` is what CPython says; `interop/exceptions.py` writes it.
@Suite("What str() says")
struct ExceptionTextTests {
    private struct Case: Decodable {
        var expression: String
        var pickle: HexBytes
        var text: String
    }

    @Test("of exceptions of CPython, its standard library, huey and redis-py is what CPython says")
    func texts() throws {
        let cases = try Fixture.load("exceptions.json", as: [Case].self)
        #expect(cases.count > 1000)
        let differences = try cases.compactMap { test -> String? in
            let text = try PickleException(pickle: PickleDocument(test.pickle.bytes).root).text
            return text == test.text ? nil : "\(test.expression): '\(text)', not '\(test.text)'"
        }
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(40).joined(separator: "\n"))")
    }

    @Test("of an exception that is built here is what CPython would say")
    func built() {
        let limited = PickleException(
            module: "huey.exceptions",
            name: "RateLimitExceeded",
            arguments: ["k", 2.25, true]
        )
        #expect(limited.text == "Rate limit exceeded on \"k\", retry in 2.2s")
        let failed = PickleException(
            module: "huey.exceptions",
            name: "TaskException",
            state: ["metadata": ["error": "KeyError('x')"]]
        )
        #expect(failed.text == "KeyError('x')")
    }

    @Test("of exceptions in exceptions without end comes to an end")
    func deep() throws {
        var inner = PickleValue.call("builtins", "ValueError", ["x"])
        for _ in 0..<1000 { inner = .call("urllib.error", "URLError", [inner]) }
        let text = try PickleException(pickle: PickleDocument(inner.pickled()).root).text
        #expect(text.hasPrefix("<urlopen error <urlopen error "))
        #expect(text.contains("ValueError('x')") || text.hasSuffix("…" + String(repeating: ">", count: 21)))
    }
}
