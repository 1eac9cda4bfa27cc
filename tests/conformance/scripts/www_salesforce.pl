# WWW::Salesforce, from a clone of its repository. The argument says what is tried.
use strict;
use warnings;
use WWW::Salesforce ();

my $client = WWW::Salesforce->login(
    serverurl => $ENV{ORG_URL}, username => $ENV{ORG_USER}, password => $ENV{ORG_PASSWORD}
);

sub result { return $_[0]->valueof("//$_[1]Response/result") }

my %tried = (
    'records' => sub {
        my $made = result($client->create(type => 'Lead', LastName => 'Lee', Company => 'Initech'), 'create');
        die 'create' unless $made->{success} eq 'true';
        my $changed = $client->update(type => 'Lead', { id => $made->{id}, Title => 'Clerk' });
        die 'update' unless result($changed, 'update')->{success} eq 'true';
        my $read = result($client->retrieve(fields => 'Id,Title', type => 'Lead', ids => [$made->{id}]), 'retrieve');
        die 'retrieve' unless $read->{Title} eq 'Clerk';
        die 'delete' unless result($client->delete($made->{id}), 'delete')->{success} eq 'true';
    },
    'upserts' => sub {
        my %lead = (LastName => 'Lee', Company => 'Initech', Key__c => 'w1');
        for my $created ('true', 'false') {
            my $kept = result($client->upsert(type => 'Lead', key => 'Key__c', \%lead), 'upsert');
            die "upsert, created: $kept->{created}" unless $kept->{created} eq $created;
        }
    },
    'queries' => sub {
        $client->create(type => 'Account', Name => "Page $_") for 1 .. 3;
        my $found = $client->do_query("SELECT Id, Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Name");
        die 'do_query' unless join(',', map { $_->{Name} } @$found) eq 'Page 1,Page 2,Page 3';
    },
    'describes' => sub {
        my $fields = $client->get_field_list('Lead');
        die 'get_field_list' unless grep { $_->{name} eq 'Key__c' } @$fields;
        my @objects = $client->describeGlobal()->valueof('//describeGlobalResponse/result/sobjects');
        die 'describeGlobal' unless grep { $_->{name} eq 'Lead' } @objects;
        die 'getUserInfo' unless result($client->getUserInfo(), 'getUserInfo')->{userId} =~ /^005/;
    },
);
$tried{$ARGV[0]}->();
