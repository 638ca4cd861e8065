/// What other writers of pickles made, in Base64.
extension Golden {
    /// `[numpy.arange(3, dtype='<i4'), scalar]` of numpy 1.26 at protocols 2, 4 and 5, and of 2.4 at 4 and 5; and the
    /// scalar's dtype.
    static let arrays: [(text: String, scalar: String)] = [
        (
            """
            gAJdcQAoY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQFjbnVtcHkKbmRhcnJheQpxAksAhXEDY19jb2RlY3MK\
            ZW5jb2RlCnEEWAEAAABicQVYBgAAAGxhdGluMXEGhnEHUnEIh3EJUnEKKEsBSwOFcQtjbnVtcHkKZHR5cGUKcQxYAgAAAGk0cQ2J\
            iIdxDlJxDyhLA1gBAAAAPHEQTk5OSv////9K/////0sAdHERYoloBFgMAAAAAAAAAAEAAAACAAAAcRJoBoZxE1JxFHRxFWJjbnVt\
            cHkuY29yZS5tdWx0aWFycmF5CnNjYWxhcgpxFmgMWAIAAABmOHEXiYiHcRhScRkoSwNoEE5OTkr/////Sv////9LAHRxGmJoBFgJ\
            AAAAAAAAAAAAw7g/cRtoBoZxHFJxHYZxHlJxH2Uu
            """,
            "<f8"
        ),
        (
            """
            gASV2AAAAAAAAABdlCiMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOU\
            SwCFlEMBYpSHlFKUKEsBSwOFlGgEjAVkdHlwZZSTlIwCaTSUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYolDDAAAAAAB\
            AAAAAgAAAJR0lGJoAYwGc2NhbGFylJOUaA2MAmY4lImIh5RSlChLA2gRTk5OSv////9K/////0sAdJRiQwgAAAAAAAD4P5SGlFKU\
            ZS4=
            """,
            "<f8"
        ),
        (
            """
            gAWV2QAAAAAAAABdlCiMEm51bXB5LmNvcmUubnVtZXJpY5SMC19mcm9tYnVmZmVylJOUKJYMAAAAAAAAAAAAAAABAAAAAgAAAJSM\
            BW51bXB5lIwFZHR5cGWUk5SMAmk0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJLA4WUjAFDlHSUUpSMFW51bXB5LmNv\
            cmUubXVsdGlhcnJheZSMBnNjYWxhcpSTlGgHjAJmOJSJiIeUUpQoSwNoC05OTkr/////Sv////9LAHSUYkMIAAAAAAAA+D+UhpRS\
            lGUu
            """,
            "<f8"
        ),
        (
            """
            gASV6gAAAAAAAABdlCiMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZST\
            lEsAhZRDAWKUh5RSlChLAUsDhZRoBIwFZHR5cGWUk5SMAmk0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQwwAAAAA\
            AQAAAAIAAACUdJRiaAGMBnNjYWxhcpSTlGgNjAJNOJSJiIeUUpQoSwRoEU5OTkr/////Sv////9LAE4oQwJuc5RLAUsBSwF0lIaU\
            dJRiQwgAAGUBFxCmF5SGlFKUZS4=
            """,
            "<M8[ns]"
        ),
        (
            """
            gAWV7AAAAAAAAABdlCiME251bXB5Ll9jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWDAAAAAAAAAAAAAAAAQAAAAIAAACU\
            jAVudW1weZSMBWR0eXBllJOUjAJpNJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiSwOFlIwBQ5R0lFKUjBZudW1weS5f\
            Y29yZS5tdWx0aWFycmF5lIwGc2NhbGFylJOUaAeMAk04lImIh5RSlChLBGgLTk5OSv////9K/////0sATihDAm5zlEsBSwFLAXSU\
            hpR0lGJDCAAAZQEXEKYXlIaUUpRlLg==
            """,
            "<M8[ns]"
        ),
    ]

    /// `[u'€', 'caf\\xe9', {'k': 1L}, datetime.datetime(2024, 2, 29, 1, 2, 3)]` of Python 2.7 at protocols 0, 1 and 2.
    static let python2 = [
        "KGxwMQpWXHUyMGFjCmFTJ2NhZlx4ZTknCnAyCmEoZHAzClMnaycKTDFMCnNhY2RhdGV0aW1lCmRhdGV0aW1lCnA0CihTJ1x4MDdceGU4XHgwMlx4MWRceDAxXHgwMlx4MDNceDAwXHgwMFx4MDAnCnRScDUKYS4=",
        "XXEBKFgDAAAA4oKsVQRjYWbpcQJ9cQNVAWtMMUwKc2NkYXRldGltZQpkYXRldGltZQpxBChVCgfoAh0BAgMAAAB0UnEFZS4=",
        "gAJdcQEoWAMAAADigqxVBGNhZulxAn1xA1UBa4oBAXNjZGF0ZXRpbWUKZGF0ZXRpbWUKcQRVCgfoAh0BAgMAAACFUnEFZS4=",
    ]
}
