<?php
// PHP's own SOAP extension with the served WSDL, called as the Force.com toolkit for PHP calls it.

function check(bool $holds, mixed $found): void
{
    if (!$holds) {
        throw new Exception(json_encode($found));
    }
}

$wsdl = getenv('ORG_URL') . '/services/Soap/u/64.0?wsdl';
$client = new SoapClient($wsdl, ['trace' => 1, 'cache_wsdl' => WSDL_CACHE_NONE, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$login = $client->login(['username' => getenv('ORG_USER'), 'password' => getenv('ORG_PASSWORD')])->result;
$client->__setLocation($login->serverUrl);
$session = new SoapHeader('urn:partner.soap.sforce.com', 'SessionHeader', ['sessionId' => $login->sessionId]);
$client->__setSoapHeaders([$session]);

function lead(string $key, string $last): stdClass
{
    $lead = new stdClass();
    $lead->type = 'Lead';
    $lead->any = "<LastName>$last</LastName><Company>Initech</Company><Key__c>$key</Key__c>";
    return $lead;
}

$tried = [
    'records' => function () use ($client) {
        $made = $client->create(['sObjects' => [lead('h1', 'Lee')]])->result;
        check($made[0]->success, $made);
        $kept = $client->upsert(['externalIDFieldName' => 'Key__c', 'sObjects' => [lead('h1', 'Roe')]])->result;
        check(!$kept[0]->created && $kept[0]->id === $made[0]->id, $kept);
        $read = $client->retrieve(['fieldList' => 'Id,LastName', 'sObjectType' => 'Lead', 'ids' => [$made[0]->id]]);
        check(str_contains(json_encode($read), 'Roe'), $read);
        $gone = $client->delete(['ids' => [$made[0]->id]])->result;
        check($gone[0]->success, $gone);
    },
    'queries' => function () use ($client) {
        $client->create(['sObjects' => [lead('h2', 'Ray')]]);
        $found = $client->query(['queryString' => "SELECT Id, LastName FROM Lead WHERE Key__c = 'h2'"])->result;
        check($found->size === 1 && str_contains(json_encode($found->records), 'Ray'), $found);
    },
    'describes' => function () use ($client) {
        $described = $client->describeSObject(['sObjectType' => 'Lead'])->result;
        check(in_array('Key__c', array_column($described->fields, 'name')), count($described->fields));
        check(count($client->describeGlobal()->result->sobjects) > 5, 'describeGlobal');
        check(str_starts_with($client->getUserInfo()->result->userId, '005'), 'getUserInfo');
    },
];
$tried[$argv[1]]();
