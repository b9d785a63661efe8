# Vietnamese: Tiếng Việt.

greeting = Xin chào { $name },
greeting-nameless = Xin chào,
closing = Thư này được gửi bởi { $product }.
unsubscribe = Ngừng nhận những thư như thế này

verify-email =
    .subject = Xác nhận địa chỉ email của bạn cho { $product }
    .text = Ai đó, rất có thể là bạn, đã dùng địa chỉ này cho một tài khoản tại { $product }. Vui lòng xác nhận rằng đây là địa chỉ của bạn.
    .action = Xác nhận địa chỉ của tôi
    .note = Liên kết chỉ dùng được một lần, đến { $until }. Nếu bạn không yêu cầu, bạn không cần làm gì cả.

reset-password =
    .subject = Chọn mật khẩu mới cho { $product }
    .text = Ai đó, rất có thể là bạn, đã yêu cầu mật khẩu mới cho tài khoản của bạn tại { $product }. Hãy mở liên kết để chọn mật khẩu mới. Sau đó bạn sẽ được đăng xuất khỏi tất cả các thiết bị.
    .action = Chọn mật khẩu mới
    .note = Liên kết chỉ dùng được một lần, đến { $until }. Nếu bạn không yêu cầu, bạn không cần làm gì cả: mật khẩu của bạn vẫn giữ nguyên.

password-changed =
    .subject = Mật khẩu của bạn cho { $product } đã được thay đổi
    .text = Mật khẩu tài khoản của bạn tại { $product } đã được thay đổi vào { $time }. Nếu chính bạn đã thay đổi, bạn không cần làm gì cả. Nếu không phải, hãy chọn mật khẩu mới ngay lập tức và báo cho chúng tôi.

notice =
    .subject = { $title }
    .text = { $text }
    .action = Mở
