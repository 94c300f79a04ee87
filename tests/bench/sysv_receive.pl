#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# COUNT messages of the System V queue of KEY as lines on stdout, as a perl script does it.
#
#   sysv_receive.pl KEY COUNT

use strict;
use warnings;

my $queue = msgget(oct shift, 0) // die "msgget: $!\n";
my $text_at = length pack 'l!', 0;
for (1 .. shift) {
    msgrcv($queue, my $message, 8192, 0, 0) or die "msgrcv: $!\n";
    print substr($message, $text_at), "\n";
}
