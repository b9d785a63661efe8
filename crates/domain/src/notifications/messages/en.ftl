# English. Every language has the same messages, with the same parts and the same variables.
#
# .subject is one line. .text is one or more paragraphs. .action are the words of the button that
# leads to the link, where there is one. .note stands small at the end.

greeting = Hello { $name },
greeting-nameless = Hello,
closing = This message was sent by { $product }.
unsubscribe = Do not send me messages of this kind

verify-email =
    .subject = Confirm your e-mail address for { $product }
    .text = Somebody, most likely you, has used this address for an account with { $product }. Please confirm that it is yours.
    .action = Confirm my address
    .note = The link works once, until { $until }. If you did not ask for it, there is nothing to do.

reset-password =
    .subject = Choose a new password for { $product }
    .text = Somebody, most likely you, has asked for a new password for your account with { $product }. Follow the link to choose one. You will then be signed out on all devices.
    .action = Choose a new password
    .note = The link works once, until { $until }. If you did not ask for it, there is nothing to do: your password stays as it is.

password-changed =
    .subject = Your password for { $product } was changed
    .text = The password of your account with { $product } was changed on { $time }. If that was you, there is nothing to do. If it was not, choose a new password at once and tell us.

notice =
    .subject = { $title }
    .text = { $text }
    .action = Open
