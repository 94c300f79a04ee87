#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Every line of stdin to the System V queue of KEY, as a perl script does it.
#
#   sysv_send.pl KEY < LINES

use strict;
use warnings;

my $queue = msgget(oct shift, 0) // die "msgget: $!\n";
while (<STDIN>) {
    chomp;
    msgsnd($queue, pack('l! a*', 1, $_), 0) or die "msgsnd: $!\n";
}
