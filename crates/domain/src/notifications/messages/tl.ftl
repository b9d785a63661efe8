# Tagalog, and Filipino.

greeting = Kumusta { $name },
greeting-nameless = Kumusta,
closing = Ipinadala ang mensaheng ito ng { $product }.
unsubscribe = Huwag na akong padalhan ng ganitong mensahe

verify-email =
    .subject = Kumpirmahin ang iyong email address para sa { $product }
    .text = May gumamit ng address na ito, malamang ay ikaw, para sa isang account sa { $product }. Pakikumpirma na sa iyo ito.
    .action = Kumpirmahin ang aking address
    .note = Isang beses lang magagamit ang link, hanggang { $until }. Kung hindi ikaw ang humiling nito, wala kang kailangang gawin.

reset-password =
    .subject = Pumili ng bagong password para sa { $product }
    .text = May humiling, malamang ay ikaw, ng bagong password para sa iyong account sa { $product }. Buksan ang link upang pumili ng bago. Pagkatapos nito, masa-sign out ka sa lahat ng device.
    .action = Pumili ng bagong password
    .note = Isang beses lang magagamit ang link, hanggang { $until }. Kung hindi ikaw ang humiling nito, wala kang kailangang gawin: hindi magbabago ang iyong password.

password-changed =
    .subject = Nabago ang iyong password para sa { $product }
    .text = Nabago ang password ng iyong account sa { $product } noong { $time }. Kung ikaw ang nagbago nito, wala kang kailangang gawin. Kung hindi, pumili agad ng bagong password at ipaalam sa amin.

notice =
    .subject = { $title }
    .text = { $text }
    .action = Buksan
