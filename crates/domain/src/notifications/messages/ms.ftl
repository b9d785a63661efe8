# Malay: Bahasa Melayu.

greeting = Helo { $name },
greeting-nameless = Helo,
closing = Mesej ini dihantar oleh { $product }.
unsubscribe = Berhenti menerima mesej seperti ini

verify-email =
    .subject = Sahkan alamat e-mel anda untuk { $product }
    .text = Seseorang, kemungkinan besar anda, telah menggunakan alamat ini untuk akaun dengan { $product }. Sila sahkan bahawa alamat ini milik anda.
    .action = Sahkan alamat saya
    .note = Pautan ini hanya boleh digunakan sekali, sehingga { $until }. Jika anda tidak memintanya, anda tidak perlu berbuat apa-apa.

reset-password =
    .subject = Pilih kata laluan baharu untuk { $product }
    .text = Seseorang, kemungkinan besar anda, telah meminta kata laluan baharu untuk akaun anda dengan { $product }. Buka pautan ini untuk memilihnya. Selepas itu, anda akan dilog keluar daripada semua peranti.
    .action = Pilih kata laluan baharu
    .note = Pautan ini hanya boleh digunakan sekali, sehingga { $until }. Jika anda tidak memintanya, anda tidak perlu berbuat apa-apa: kata laluan anda tidak berubah.

password-changed =
    .subject = Kata laluan anda untuk { $product } telah ditukar
    .text = Kata laluan akaun anda dengan { $product } telah ditukar pada { $time }. Jika anda yang menukarnya, anda tidak perlu berbuat apa-apa. Jika bukan, pilih kata laluan baharu dengan segera dan maklumkan kepada kami.

notice =
    .subject = { $title }
    .text = { $text }
    .action = Buka
