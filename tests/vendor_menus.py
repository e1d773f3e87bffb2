"""Boot menus of the forms that vendors' media have, written for the tests."""

RHEL_GRUB = """\
set default="1"

function load_video {
  insmod efi_gop
  insmod all_video
}

load_video
set timeout=60
search --no-floppy --set=root -l 'RHEL-9-6-0-BaseOS-x86_64'

menuentry 'Install RHEL 9.6' --class fedora --class os {
\tlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 quiet
\tinitrdefi /images/pxeboot/initrd.img
}
menuentry 'Test this media & install RHEL 9.6' --class fedora --class os {
\tlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 rd.live.check quiet
\tinitrdefi /images/pxeboot/initrd.img
}
submenu 'Troubleshooting -->' {
\tmenuentry 'Install RHEL 9.6 in basic graphics mode' --class os {
\t\tlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 nomodeset
\t\tinitrdefi /images/pxeboot/initrd.img
\t}
\tmenuentry 'Rescue a RHEL system' --class os {
\t\tlinuxefi /images/pxeboot/vmlinuz inst.rescue quiet
\t\tinitrdefi /images/pxeboot/initrd.img
\t}
}
"""

RHEL_ISOLINUX = """\
default vesamenu.c32
timeout 600
display boot.msg
menu title RHEL 9.6

label linux
  menu label ^Install RHEL 9.6
  kernel vmlinuz
  append initrd=initrd.img inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 quiet

label check
  menu label Test this ^media & install RHEL 9.6
  menu default
  kernel vmlinuz
  append initrd=initrd.img inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 rd.live.check quiet

menu begin ^Troubleshooting
label rescue
  menu label ^Rescue a RHEL system
  kernel vmlinuz
  append initrd=initrd.img inst.rescue quiet
label local
  menu label Boot from ^local drive
  localboot 0xffff
menu end
"""

SLC5 = """\
default linux
prompt 1
timeout 600
display boot.msg
label linux
  kernel vmlinuz
  append initrd=initrd.img
label text
  kernel vmlinuz
  append initrd=initrd.img text
label local
  localboot 1
label memtest86
  kernel memtest
  append -
"""

SLC6 = """\
default vesamenu.c32
timeout 600
label linux
  menu label ^Install or upgrade an existing system
  menu default
  kernel vmlinuz
  append initrd=initrd.img
label vesa
  menu label Install system with ^basic video driver
  kernel vmlinuz
  append initrd=initrd.img nomodeset
label rescue
  menu label ^Rescue installed system
  kernel vmlinuz
  append initrd=initrd.img rescue
"""

SUSE_ISOLINUX = """\
default harddisk
label harddisk
  localboot 0x80
label linux
  kernel linux
  append initrd=initrd splash=silent showopts
label upgrade
  kernel linux
  append initrd=initrd splash=silent upgrade=1 showopts
label rescue
  kernel linux
  append initrd=initrd splash=silent rescue=1 showopts
label memtest
  kernel memtest
ui gfxboot bootlogo message
implicit 1
prompt 1
timeout 600
"""

SUSE_GRUB = """\
set timeout=60
if [ "${grub_platform}" = "efi" ]; then
  echo "Please press 't' to show the boot menu on this console"
fi
menuentry 'Boot from Hard Disk' --class opensuse --class os {
  exit
}
menuentry 'Installation' --class opensuse --class os {
  set gfxpayload=keep
  echo 'Loading kernel ...'
  linux /boot/x86_64/loader/linux splash=silent
  echo 'Loading initial ramdisk ...'
  initrd /boot/x86_64/loader/initrd
}
menuentry 'Upgrade' --class opensuse --class os {
  linux /boot/x86_64/loader/linux splash=silent upgrade=1
  initrd /boot/x86_64/loader/initrd
}
submenu 'More ...' {
  menuentry 'Check Installation Media' --class os {
    linux /boot/x86_64/loader/linux mediacheck=1
    initrd /boot/x86_64/loader/initrd
  }
}
"""

AGAMA_GRUB = """\
set default=0
set linux=linux
set timeout=10
menuentry "Install Leap 16.0" --class os --unrestricted {
    set gfxpayload=keep
    $linux ($root)/boot/x86_64/loader/linux ${extra_cmdline} root=live:CDLABEL=Install
    initrd ($root)/boot/x86_64/loader/initrd
}
menuentry "Check Installation Medium" --class os --unrestricted {
    $linux ($root)/boot/x86_64/loader/linux ${extra_cmdline} mediacheck=1
    initrd ($root)/boot/x86_64/loader/initrd
}
"""

UBUNTU_GRUB = """\
set timeout=30
loadfont unicode
menuentry "Try or Install Ubuntu Server" {
\tset gfxpayload=keep
\tlinux\t/casper/vmlinuz  ---
\tinitrd\t/casper/initrd
}
menuentry "Ubuntu Server with the HWE kernel" {
\tset gfxpayload=keep
\tlinux\t/casper/hwe-vmlinuz  ---
\tinitrd\t/casper/hwe-initrd
}
grub_platform
if [ "$grub_platform" = "efi" ]; then
menuentry 'Boot from next volume' {
\texit 1
}
menuentry 'UEFI Firmware Settings' {
\tfwsetup
}
fi
"""

UBUNTU_TXT = """\
default live
label live
  menu label ^Install Ubuntu Server
  kernel /casper/vmlinuz
  append   initrd=/casper/initrd quiet  ---
label memtest
  menu label Test ^memory
  kernel /install/mt86plus
label hd
  menu label ^Boot from first hard disk
  localboot 0x80
"""

DEBIAN_GRUB = """\
insmod play
set theme=/boot/grub/theme/1
menuentry --hotkey=g 'Graphical install' {
    set background_color=black
    linux    /install.amd/vmlinuz vga=788 --- quiet
    initrd   /install.amd/gtk/initrd.gz
}
menuentry --hotkey=i 'Install' {
    set background_color=black
    linux    /install.amd/vmlinuz vga=788 --- quiet
    initrd   /install.amd/initrd.gz
}
submenu --hotkey=a 'Advanced options ...' {
    menuentry '... Expert install' {
        linux    /install.amd/vmlinuz priority=low vga=788 ---
        initrd   /install.amd/initrd.gz
    }
}
"""
