import Pickle
import Testing

@testable import EduMFAQueue

@Suite("What a newer producer may ask for")
struct MailKeywordTests {
    private func job(
        config more: [(key: PickleValue, value: PickleValue)] = [],
        keywords: [(key: PickleValue, value: PickleValue)] = []
    ) throws -> MailJob {
        let config: [(key: PickleValue, value: PickleValue)] = [
            ("server", "mail.example.org"), ("port", 25), ("sender", "s@example.org"),
        ]
        let args: PickleValue = .tuple([.dict(PickleDictionary(config + more)), "a@example.org", "S", "T"])
        return try MailJob(args: args.view(), kwargs: PickleValue.dict(PickleDictionary(keywords)).view())
    }

    @Test(arguments: [true, 1, "yes", ["x"], 0.5] as [PickleValue])
    func unknownOnesThatAskForSomethingAreRefusedByName(value: PickleValue) {
        for make in [
            { try job(config: [("pgp_sign", value)]) }, { try job(keywords: [("pgp_sign", value)]) },
        ] {
            let failure = #expect(throws: MailFailure.self) { try make() }
            #expect(failure?.kind == .permanent)
            #expect(failure?.reason.contains("pgp_sign") == true)
        }
    }

    @Test(arguments: [.none, false, 0, "", .list([])] as [PickleValue])
    func unknownOnesThatAreFalseAreLeftOut(value: PickleValue) throws {
        _ = try job(config: [("pgp_sign", value)], keywords: [("cc", value)])
    }

    @Test func namesAreEscaped() {
        let failure = #expect(throws: MailFailure.self) { try job(config: [("a\u{1b}[2Jb\n", true)]) }
        #expect(failure?.reason.contains(#"a\x1b[2Jb\n"#) == true)
        #expect(throws: MailFailure.self) { try job(config: [(5, true)]) }
    }
}
