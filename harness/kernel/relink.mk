# SPDX-License-Identifier: GPL-2.0
# make -f relink.mk LAYOUT_PAD=BYTES relink, in a tree that is built: links vmlinux with another pad. Nothing else has changed, so
# that kbuild need not go through all folders, nor look at the symbols of vmlinux.o again. For architectures that link vmlinux from
# the objects themselves. tests/kernel.sh compares the bytes with kbuild's own.
include Makefile

.PHONY: relink
relink:
	+$(Q)$(MAKE) $(build)=mm need-builtin= mm/layout-pad.o
	+$(Q)rm -f vmlinux.unstripped
	+$(Q)$(MAKE) -f $(srctree)/scripts/Makefile.vmlinux vmlinux
	$(Q)ln -f vmlinux linux
