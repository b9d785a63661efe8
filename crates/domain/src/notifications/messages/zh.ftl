# Chinese, in simplified characters: 简体中文.

greeting = { $name }，您好！
greeting-nameless = 您好！
closing = 本邮件由 { $product } 发送。
unsubscribe = 不再接收此类邮件

verify-email =
    .subject = 请确认您用于 { $product } 的邮箱地址
    .text = 有人（很可能是您本人）将此邮箱地址用于 { $product } 账号。请确认该地址属于您。
    .action = 确认我的邮箱地址
    .note = 此链接仅可使用一次，有效期至 { $until }。如果不是您本人的操作，请忽略此邮件。

reset-password =
    .subject = 为 { $product } 设置新密码
    .text = 有人（很可能是您本人）申请为您的 { $product } 账号设置新密码。请打开链接设置新密码。之后，您将在所有设备上退出登录。
    .action = 设置新密码
    .note = 此链接仅可使用一次，有效期至 { $until }。如果不是您本人的操作，请忽略此邮件，您的密码不会改变。

password-changed =
    .subject = 您的 { $product } 密码已更改
    .text = 您的 { $product } 账号密码已于 { $time } 更改。如果是您本人的操作，则无需任何处理。如果不是，请立即设置新密码并告知我们。

notice =
    .subject = { $title }
    .text = { $text }
    .action = 打开
