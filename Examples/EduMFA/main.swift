import EduMFAQueue
import Pickle

// The names and settings are eduMFA's own: its worker sends this mail, or ours.
let app = EduMFAApp(config: [
    "EDUMFA_JOB_QUEUE_CLASS": "edumfa.lib.queues.huey_queue.HueyQueue",
    "EDUMFA_JOB_QUEUE_URL": .string(CommandLine.arguments.dropFirst().first ?? "redis://localhost:6379/0"),
])
try JobCollector.shared.registerJob(Job("smtpserver.send_email", module: "edumfa.lib.smtpserver"))
try registerApp(app)

let sendEmail = wrapJob("smtpserver.send_email", true)
let server: PickleValue = [
    "server": "localhost", "port": .int(Int(CommandLine.arguments.last ?? "") ?? 25), "username": "", "password": "",
    "sender": "mfa@example.org", "tls": false, "timeout": 10,
]
print(
    try await sendEmail(
        server,
        ["ada@example.org"],
        "Your token",
        "Welcome!\n",
        nil as String?,
        nil as String?,
        "plain"
    )
)
