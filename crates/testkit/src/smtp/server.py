"""An SMTP server that keeps what it takes, and refuses as it is told.

Messages become FOLDER/<number>.eml, with an X-Envelope-To header. When FOLDER/refuse is there,
its text is the answer to each recipient; when FOLDER/silent is there, messages are kept but the
connection is closed instead of an answer.
"""

import argparse
import os
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--folder", required=True)
parser.add_argument("--tls", choices=["none", "starttls", "smtps"], default="none")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--user")
parser.add_argument("--password")
args = parser.parse_args()


class Handler:
    def path(self, name):
        return os.path.join(args.folder, name)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if os.path.exists(self.path("refuse")):
            with open(self.path("refuse"), encoding="utf-8") as file:
                return file.read()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = len([name for name in os.listdir(args.folder) if name.endswith(".eml")])
        file = self.path(f"{number:06}")
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        with open(file + ".new", "wb") as out:
            out.write(b"X-Envelope-To: " + ", ".join(envelope.rcpt_tos).encode() + b"\r\n")
            out.write(b"X-Encrypted: " + str(encrypted).encode() + b"\r\n")
            out.write(b"X-User: " + (session.auth_data or b"nobody") + b"\r\n")
            out.write(envelope.original_content)
        os.rename(file + ".new", file + ".eml")
        if os.path.exists(self.path("silent")):
            os.remove(self.path("silent"))
            server.transport.abort()
        return f"250 kept as {number}"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login, data.password)
    wanted = (args.user.encode(), args.password.encode())
    if given != wanted:
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=data.login)


tls = None
if args.tls != "none":
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(args.cert, args.key)


class Server(Controller):
    def factory(self):
        options = {"hostname": "smtp.test", "timeout": 60}
        if args.tls == "starttls":
            options.update(tls_context=tls, require_starttls=True)
        if args.user:
            options.update(authenticator=authenticate, auth_required=True)
            options.update(auth_require_tls=args.tls == "starttls")
        return SMTP(self.handler, **options)


context = tls if args.tls == "smtps" else None
# The second address is not in the certificate.
for address in ("127.0.0.2", "127.0.0.1"):
    Server(Handler(), hostname=address, port=args.port, ssl_context=context).start()
threading.Event().wait()
