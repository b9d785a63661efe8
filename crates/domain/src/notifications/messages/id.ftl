# Indonesian: Bahasa Indonesia.

greeting = Halo { $name },
greeting-nameless = Halo,
closing = Pesan ini dikirim oleh { $product }.
unsubscribe = Berhenti menerima pesan seperti ini

verify-email =
    .subject = Konfirmasikan alamat email Anda untuk { $product }
    .text = Seseorang, kemungkinan besar Anda, telah menggunakan alamat ini untuk akun di { $product }. Mohon konfirmasikan bahwa alamat ini milik Anda.
    .action = Konfirmasikan alamat saya
    .note = Tautan ini hanya dapat digunakan satu kali, sampai { $until }. Jika Anda tidak memintanya, Anda tidak perlu melakukan apa pun.

reset-password =
    .subject = Pilih kata sandi baru untuk { $product }
    .text = Seseorang, kemungkinan besar Anda, meminta kata sandi baru untuk akun Anda di { $product }. Buka tautan ini untuk memilihnya. Setelah itu Anda akan dikeluarkan dari semua perangkat.
    .action = Pilih kata sandi baru
    .note = Tautan ini hanya dapat digunakan satu kali, sampai { $until }. Jika Anda tidak memintanya, Anda tidak perlu melakukan apa pun: kata sandi Anda tidak berubah.

password-changed =
    .subject = Kata sandi Anda untuk { $product } telah diubah
    .text = Kata sandi akun Anda di { $product } telah diubah pada { $time }. Jika Anda yang mengubahnya, Anda tidak perlu melakukan apa pun. Jika bukan, segera pilih kata sandi baru dan beri tahu kami.

notice =
    .subject = { $title }
    .text = { $text }
    .action = Buka
